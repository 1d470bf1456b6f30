"""The row of a photo as the page shows it.

The page empties answers while its slider moves, without asking again. So it gets each answer twice: as the network is
calibrated to give it, and as its best guess, from which `static/answers.js` derives the answer for any min_confidence
as the predictor would.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import SEPARATOR

__all__ = ["ALL_ALTERNATIVES", "KINDS", "compare_rows", "entity_label", "row_view", "skeleton"]

ALL_ALTERNATIVES = 100
"""The `top_k` of the best guesses, since the probability of a path's level is the sum of those of the leaves below it.
What is rounded away and the leaves beyond it are some hundredths, shared by all."""
SHOWN_ALTERNATIVES = 5
KINDS = {"quantity": "Quantities", "choice": "Choices", "path": "Categories", "text": "Texts"}


def entity_label(name: str) -> str:
    """The name of an entity as people write it.

    >>> entity_label("maximum_weight_recommendation"), entity_label("baseColour")
    ('maximum weight recommendation', 'base colour')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()


def skeleton(entities: Iterable[Entity]) -> list[dict[str, str]]:
    """Name, label and kind of each entity, by kind."""
    order = list(KINDS)
    by_kind = sorted(entities, key=lambda entity: order.index(entity.kind))
    return [
        {"name": entity.name, "label": entity_label(entity.name), "kind": entity.kind, "group": KINDS[entity.kind]}
        for entity in by_kind
    ]


def row_view(
    entities: Iterable[Entity], calibrated: Mapping[str, Mapping[str, Any]], guesses: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The answers of a row in the order of `skeleton`.

    Args:
        entities: All that are known; those without an answer are left out.
        calibrated: The predictions of an answer without min_confidence.
        guesses: Those with min_confidence 0 and ALL_ALTERNATIVES alternatives.
    """
    return [
        {
            **entity,
            "calibrated": _without_alternatives(calibrated[entity["name"]]),
            "guess": _without_alternatives(guesses[entity["name"]]),
            "empty_confidence": _empty_confidence(guesses[entity["name"]]),
            "levels": _levels(guesses[entity["name"]]) if entity["kind"] == "path" else [],
            "alternatives": guesses[entity["name"]].get("alternatives", [])[:SHOWN_ALTERNATIVES],
        }
        for entity in skeleton(entities)
        if entity["name"] in calibrated
    ]


def compare_rows(
    entities: Iterable[Entity], first: Mapping[str, Mapping[str, Any]], second: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The answers of two rows side by side, and whether they differ."""
    return [
        {
            **entity,
            "first": _without_alternatives(first[entity["name"]]),
            "second": _without_alternatives(second[entity["name"]]),
            "differs": first[entity["name"]]["prediction"] != second[entity["name"]]["prediction"],
        }
        for entity in skeleton(entities)
        if entity["name"] in first and entity["name"] in second
    ]


def _without_alternatives(prediction: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in prediction.items() if key != "alternatives"}


def _empty_confidence(prediction: Mapping[str, Any]) -> float:
    """The probability that there is nothing to answer."""
    if not prediction["prediction"]:
        return float(prediction["confidence"])
    found: Sequence[Mapping[str, Any]] = prediction.get("alternatives", [])
    return next((float(other["confidence"]) for other in found if not other["prediction"]), 0.0)


def _levels(prediction: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes of a path, root first, each with its probability."""
    nodes = accumulate(prediction["value"] or [], lambda node, level: f"{node}{SEPARATOR}{level}")
    leaves = [leaf for leaf in prediction.get("alternatives", []) if leaf["prediction"]]
    found = sum(float(leaf["confidence"]) for leaf in leaves)
    share = (1 - _empty_confidence(prediction)) / found if found else 1.0
    levels = [
        {
            "prediction": node,
            "confidence": share
            * sum(
                float(leaf["confidence"])
                for leaf in leaves
                if f"{leaf['prediction']}{SEPARATOR}".startswith(f"{node}{SEPARATOR}")
            ),
        }
        for node in nodes
    ]
    if levels:  # of the answer itself it is known exactly
        levels[-1]["confidence"] = prediction["confidence"]
    return levels
