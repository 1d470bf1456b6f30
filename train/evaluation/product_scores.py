"""Scores of what the product on a photo is: category, colour, title, and what does not apply to it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resformer.model.prediction import Prediction
from resformer.train.data.product_labels import ProductLabels
from resformer.train.evaluation.bootstrap import bootstrap_samples

__all__ = [
    "FASHION_ENTITIES",
    "PRODUCT_ENTITIES",
    "answered",
    "category_figures",
    "mean_with_interval",
    "product_figures",
    "rightness",
    "token_f1",
]

FASHION_ENTITIES = ("articleType", "gender", "season", "usage", "description")
"""What only a fashion article has."""
PRODUCT_ENTITIES = {*FASHION_ENTITIES, "category", "baseColour", "title"}
"""What the labels of a product say something about."""

Predictions = Mapping[str, Prediction]


def token_f1(truth: str, text: str) -> float:
    """F1 of the lower-case alphanumeric tokens of two texts, as multisets."""
    expected, found = (Counter(re.findall(r"[^\W_]+", side.lower())) for side in (truth, text))
    common = (expected & found).total()
    return 2 * common / (expected.total() + found.total()) if common else 0.0


def rightness(labels: ProductLabels, predictions: Predictions) -> dict[str, float]:
    """How right each answer that the labels say something about is, from 0 to 1, by entity.

    A category is right where it has all levels of the label; what only a fashion article has is right where it is empty
    for another product; a title is right in as far as its token F1.
    """
    right: dict[str, float] = {"articleType": float(predictions["articleType"].prediction == labels.article_type)}
    if not labels.is_fashion:
        right |= {name: float(not predictions[name].prediction) for name in FASHION_ENTITIES}
    if labels.category:
        right["category"] = _has_levels(predictions["category"], labels.category)
    if labels.colour:
        right["baseColour"] = float(predictions["baseColour"].prediction == labels.colour)
    if labels.title:
        right["title"] = token_f1(labels.title, predictions["title"].prediction)
    return right


def product_figures(labels: Sequence[ProductLabels], predictions: Sequence[Predictions]) -> dict[str, Any]:
    """Scores over some photos, each `mean`, its 95 % `interval`, and the number of `photos` that have the label.

    Returns:
        `empty`: of products that are no fashion article, the fraction of empty answers to FASHION_ENTITIES;
        `category`: accuracy of the first, and of the first two levels; `baseColour`: accuracy; `title`: token F1.
    """
    right = [(of_photo, rightness(of_photo, p)) for of_photo, p in zip(labels, predictions, strict=True)]
    return {
        "empty": {
            name: mean_with_interval([r[name] for of_photo, r in right if not of_photo.is_fashion])
            for name in FASHION_ENTITIES
        },
        "category": category_figures(labels, [p["category"] for p in predictions]),
        **{name: mean_with_interval([r[name] for _, r in right if name in r]) for name in ("baseColour", "title")},
    }


def category_figures(labels: Sequence[ProductLabels], predictions: Sequence[Prediction]) -> dict[str, dict[str, Any]]:
    """Accuracy of the first, and of the first two levels of categories, see mean_with_interval."""
    return {
        f"level {depth}": mean_with_interval(
            [
                _has_levels(prediction, of_photo.category[:depth])
                for of_photo, prediction in zip(labels, predictions, strict=True)
                if len(of_photo.category) >= depth
            ]
        )
        for depth in (1, 2)
    }


def answered(predictions: Sequence[Predictions], names: Sequence[str]) -> list[float]:
    """1 for each photo where any of the named entities has an answer, else 0."""
    return [float(any(p[name].prediction for name in names)) for p in predictions]


def mean_with_interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean over photos with its 95 % interval, by a bootstrap; None without photos."""
    if not values:
        return {"mean": None, "interval": None, "photos": 0}
    table = np.array(values)
    interval = np.quantile(table[bootstrap_samples(len(table))].mean(axis=1), [0.025, 0.975]).tolist()
    return {"mean": float(table.mean()), "interval": interval, "photos": len(table)}


def _has_levels(prediction: Prediction, levels: Sequence[str]) -> float:
    """1 where a predicted path begins with these levels, else 0."""
    value = prediction.value if isinstance(prediction.value, list) else []
    return float(value[: len(levels)] == list(levels))
