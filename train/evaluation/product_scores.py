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

    A category is right as far as it goes, or as the label goes; what only a fashion article has is right where it is
    empty for another product; a title is right in as far as its token F1.
    """
    right: dict[str, float] = {"articleType": float(predictions["articleType"].prediction == labels.article_type)}
    if not labels.is_fashion:
        right |= {name: float(not predictions[name].prediction) for name in FASHION_ENTITIES}
    if labels.category:
        right["category"] = _is_on_path(predictions["category"], labels.category)
    if labels.colour:
        right["baseColour"] = float(predictions["baseColour"].prediction == labels.colour)
    if labels.title:
        right["title"] = token_f1(labels.title, predictions["title"].prediction)
    return right


def product_figures(
    labels: Sequence[ProductLabels], predictions: Sequence[Predictions], guesses: Sequence[Predictions]
) -> dict[str, Any]:
    """Scores over some photos, each `mean`, its 95 % `interval`, and the number of `photos` that have the label.

    Args:
        predictions: To a request that names no min_confidence.
        guesses: The best ones, of category and title.

    Returns:
        `empty`: of products that are no fashion article, the fraction of empty answers to FASHION_ENTITIES;
        `category`: accuracy of the first, and of the first two levels of guesses; `baseColour`: accuracy; `title`:
        token F1 of guesses; `answered`: fractions of photos with a category and with a title; `right`: how right
        these are, see rightness.
    """
    right = [(of_photo, rightness(of_photo, p), p) for of_photo, p in zip(labels, predictions, strict=True)]
    guessed = [rightness(of_photo, {**p, **guess}) for (of_photo, _, p), guess in zip(right, guesses, strict=True)]
    answers = {
        name: [(r[name], float(bool(p[name].prediction))) for _, r, p in right if name in r]
        for name in ("category", "title")
    }
    return {
        "empty": {
            name: mean_with_interval([r[name] for of_photo, r, _ in right if not of_photo.is_fashion])
            for name in FASHION_ENTITIES
        },
        "category": category_figures(labels, [guess["category"] for guess in guesses]),
        "baseColour": mean_with_interval([r["baseColour"] for _, r, _ in right if "baseColour" in r]),
        "title": mean_with_interval([r["title"] for r in guessed if "title" in r]),
        "answered": {name: mean_with_interval([given for _, given in pairs]) for name, pairs in answers.items()},
        "right": {name: mean_with_interval([r for r, given in pairs if given]) for name, pairs in answers.items()},
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


def _is_on_path(prediction: Prediction, levels: Sequence[str]) -> float:
    """1 where a predicted path is a node of these levels, or of what is below the last one, else 0."""
    value = prediction.value if isinstance(prediction.value, list) else []
    return float(bool(value) and all(level == of_label for level, of_label in zip(value, levels, strict=False)))
