"""What people use instead for attributes, categories and descriptions: words alone, and the nearest photo's text."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import Tensor, nn

from model.photo import decode
from model.presets import preset
from model.products import letterbox
from model.stem import InvertedResidual, Stem
from train.catalogue import CatalogueRecord
from train.stem_start import start_from_lite0

__all__ = ["PackagedFeatures", "nearest_texts", "words_alone"]


def words_alone(texts: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Labels by TF-IDF over words and pairs of words, and logistic regression."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=30, max_iter=300)
    )
    return list(model.fit(list(texts), list(labels)).predict(list(asked)))


class PackagedFeatures:
    """Means of the last maps of the packaged ImageNet stem, as it is.

    Args:
        side: of the letterboxed photo, pixels.
    """

    def __init__(self, side: int = 192):
        shape = preset("small")
        stem = Stem(shape)
        blocks = [InvertedResidual(112 if i == 0 else 192, 192, 5, 2 if i == 0 else 1, 6) for i in range(4)]
        self._side = side
        self._deep = nn.Sequential(*blocks)
        start_from_lite0(stem, self._deep)
        self._trunk = stem[0].eval()
        self._deep.eval()

    @torch.inference_mode()
    def __call__(self, records: Sequence[CatalogueRecord], together: int = 32) -> np.ndarray:
        """Unit vectors (records, 192)."""
        rows: list[Tensor] = []
        for i in range(0, len(records), together):
            boxed = [letterbox(decode(r.photo.read_bytes()), self._side)[0] for r in records[i : i + together]]
            pixels = (torch.from_numpy(np.stack(boxed)).float() - 127) / 128
            rows.append(self._deep(self._trunk(pixels)).mean(dim=(2, 3)))
        return nn.functional.normalize(torch.cat(rows)).numpy()


def nearest_texts(known: np.ndarray, texts: Sequence[str], asked: np.ndarray) -> list[str]:
    """The text of the known photo that is most like each asked one, by cosine."""
    return [texts[i] for i in (asked @ known.T).argmax(axis=1)]
