"""Texts of a catalogue of the user's own, which answer about photos that look like its products."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

__all__ = ["ChosenText", "TextCatalogue"]

NEIGHBOURS = 20
SIMILARITY_SCALE = 0.1  # a neighbour's vote is exp(cosine similarity / SIMILARITY_SCALE)
TOKENS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class ChosenText:
    """A text, and the mean overlap of the other votes with it, 0 to 1."""

    text: str
    agreement: float


class TextCatalogue:
    """Pictures with their texts; the text that similar pictures agree on is that of a new one.

    That is minimum Bayes risk decoding (Kumar and Byrne, HLT-NAACL 2004) over the texts of neighbours: of these and a
    draft the one that overlaps most with all of them, each weighted by its vote.

    Attributes:
        weights_version: of the weights that described the pictures.
    """

    def __init__(self, features: np.ndarray, texts: Mapping[str, Sequence[str]], weights_version: str):
        """Describes the catalogue.

        Args:
            features: float (products, size) of the pictures, see EncodedPhoto.
            texts: of each product by entity, "" where it has none.
        """
        self.weights_version = weights_version
        self._mean = features.mean(axis=0)
        self._deviation = np.maximum(features.std(axis=0), 1e-3)
        self._features = features
        self._texts = {name: list(column) for name, column in texts.items() if any(column)}
        self._by_entity = {name: self._with_text(column) for name, column in self._texts.items()}

    @property
    def entities(self) -> frozenset[str]:
        """What there are texts of."""
        return frozenset(self._texts)

    @classmethod
    def load(cls, path: Path) -> "TextCatalogue":
        """Reads what `save` wrote.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no catalogue of texts.
        """
        try:
            with safe_open(path, framework="np") as file:
                features = file.get_tensor("features").astype(np.float32)
                texts = json.loads(file.get_tensor("texts").tobytes())
                version = file.metadata()["weights_version"]
            return cls(features, texts, version)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no catalogue of texts; `resformer archive --texts` makes it") from error

    def save(self, path: Path) -> None:
        """Writes the catalogue as safetensors; the texts are the bytes of a JSON object."""
        # No metadata: its size is limited.
        texts = np.frombuffer(json.dumps(self._texts, ensure_ascii=False).encode(), dtype=np.uint8)
        tensors: dict[str, np.ndarray] = {"features": self._features.astype(np.float16), "texts": texts}
        save_file(tensors, path, {"weights_version": self.weights_version})

    def choose(self, entity: str, features: np.ndarray, draft: str) -> ChosenText:
        """The text on which a draft and the texts of the most similar pictures agree; the draft votes as the nearest.

        Args:
            entity: one of `entities`.
            features: (size,) of the picture.
        """
        directions, known = self._by_entity[entity]
        similarities = directions @ self._normalized(features)
        nearest = np.argsort(-similarities, kind="stable")[:NEIGHBOURS]
        votes = np.exp((similarities[nearest] - similarities[nearest[0]]) / SIMILARITY_SCALE)
        texts = [draft, *(known[i] for i in nearest)]
        votes = np.array([1.0, *votes])
        counted = [_ngrams(text) for text in texts]
        overlaps = np.array([[_overlap(one, other) for other in counted] for one in counted])
        # A text's overlap with itself is no agreement, but with an equal text of another product it is.
        np.fill_diagonal(overlaps, 0.0)
        agreement = overlaps @ votes / (votes.sum() - votes)
        best = int((overlaps @ votes + votes).argmax())
        return ChosenText(texts[best], float(agreement[best]))

    def _with_text(self, column: Sequence[str]) -> tuple[np.ndarray, list[str]]:
        """The directions of the pictures that have a text, and these texts."""
        rows = [i for i, text in enumerate(column) if text]
        return self._normalized(self._features[rows]), [column[i] for i in rows]

    def _normalized(self, features: np.ndarray) -> np.ndarray:
        """Of zero mean and unit variance over the catalogue, then of length 1."""
        standardized = (features - self._mean) / self._deviation
        directions: np.ndarray = standardized / np.maximum(np.linalg.norm(standardized, axis=-1, keepdims=True), 1e-6)
        return directions


def _ngrams(text: str) -> tuple[Counter[Any], Counter[Any]]:
    """The words of a text, and its pairs of words."""
    tokens = TOKENS.findall(text.lower())
    return Counter(tokens), Counter(itertools.pairwise(tokens))


def _overlap(one: Sequence[Counter[Any]], other: Sequence[Counter[Any]]) -> float:
    """Mean F1 of the words and, where there are any, of the pairs of words that two texts share."""
    totals = [(a & b).total() / (a.total() + b.total()) for a, b in zip(one, other, strict=True) if a or b]
    return 2 * sum(totals) / max(1, len(totals))
