"""Baselines for attributes: a classifier of the text, and the text of the nearest photo."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from resformer.train.network.pretrained_networks import PretrainedFeatures

__all__ = ["classify_texts", "nearest_texts"]


def classify_texts(texts: Sequence[str], labels: Sequence[str], queries: Sequence[str]) -> list[list[str]]:
    """The two most probable labels of each query, or fewer, by logistic regression over TF-IDF of words and word pairs.

    Args:
        texts, labels: what it learns from; a label that all have is the only one of each query.
        queries: texts to classify.
    """
    if len(set(labels)) == 1:
        return [[labels[0]] for _ in queries]
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=30, max_iter=300)
    )
    probabilities = model.fit(list(texts), list(labels)).predict_proba(list(queries))
    return [[str(model.classes_[i]) for i in row] for row in np.argsort(-probabilities, axis=1)[:, :2]]


def nearest_texts(photos: Sequence[Path], texts: Sequence[str], queries: Sequence[Path]) -> list[str]:
    """The text of the nearest photo of each query.

    Nearest is by the cosine of the pooled last feature map of the pretrained EfficientNet-Lite0.

    Args:
        photos, texts: files and the text of each.
        queries: files.
    """
    embed = PretrainedFeatures("efficientnet-lite0")
    known, queried = (_normalised(embed(files)) for files in (photos, queries))
    return [texts[i] for i in (queried @ known.T).argmax(axis=1)]


def _normalised(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
