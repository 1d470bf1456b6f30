"""What people use instead for attributes, categories and descriptions: words alone, and the nearest photo's text."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from resformer.train.attributes.pretrained_networks import PackagedFeatures

__all__ = ["nearest_texts", "words_alone"]


def words_alone(texts: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Labels by TF-IDF over words and pairs of words, and logistic regression."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=30, max_iter=300)
    )
    return list(model.fit(list(texts), list(labels)).predict(list(asked)))


def nearest_texts(known: Sequence[Path], texts: Sequence[str], asked: Sequence[Path]) -> list[str]:
    """The text of the known photo that is most like each asked one: by the cosine of their means over the last map of
    the packaged EfficientNet-Lite0."""
    look = PackagedFeatures("efficientnet-lite0")
    ours, theirs = (means / np.linalg.norm(means, axis=1)[:, None] for means in (look(known)[:, 0], look(asked)[:, 0]))
    return [texts[i] for i in (theirs @ ours.T).argmax(axis=1)]
