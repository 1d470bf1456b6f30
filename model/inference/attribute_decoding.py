"""From the probabilities of labels to the answers of choices and paths."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import SEPARATOR

__all__ = ["MIN_LEVEL_PROBABILITY", "AttributeAnswer", "decode_choice", "decode_path"]

MIN_LEVEL_PROBABILITY = 0.2
"""A path descends to the deepest level of at least this probability, where a request names no other."""


@dataclass(frozen=True)
class AttributeAnswer:
    """One answer.

    Attributes:
        text: a label, a path as it is written, or text.
        probability: of a label or node; of a text, the geometric mean of its tokens'.
        levels: of a path, root first.
        leaf: name and probability of the leaf at which the path ends or above which it stops.
        alternatives: labels or leaves with their probabilities: the answer's, then the likeliest others.
    """

    text: str
    probability: float
    levels: tuple[str, ...] = ()
    leaf: tuple[str, float] = ("", 0.0)
    alternatives: list[tuple[str, float]] = field(default_factory=list)


def decode_choice(entity: Entity, probabilities: np.ndarray, top_k: int) -> AttributeAnswer:
    """The likeliest label.

    Args:
        probabilities: (labels,).
        top_k: how many alternatives the answer has.
    """
    best = int(np.argmax(probabilities))
    alternatives = _alternatives(entity.labels, probabilities, best, top_k)
    return AttributeAnswer(entity.labels[best], float(probabilities[best]), alternatives=alternatives)


def decode_path(
    entity: Entity, probabilities: np.ndarray, top_k: int, min_level_probability: float = MIN_LEVEL_PROBABILITY
) -> AttributeAnswer:
    """The path with the highest expected number of right levels, down to the deepest level that is probable enough.

    Args:
        probabilities: (leaves,).
        top_k: how many alternatives the answer has.
        min_level_probability: the path stops above a level of less; it has a root in any case.
    """
    tree = entity.taxonomy
    # Where the leaves of one parent share its probability, the likeliest leaf of all may lie elsewhere.
    best = int(np.argmax(tree.expected_levels(probabilities)))
    nodes = tree.node_probabilities(probabilities)
    leaf = tree.leaves[best]
    probable = [d for d in range(2, len(leaf) + 1) if nodes[tree.index(leaf[:d])] >= min_level_probability]
    node = leaf[: max(probable, default=1)]
    names = [SEPARATOR.join(path) for path in entity.paths]
    return AttributeAnswer(
        text=SEPARATOR.join(node),
        probability=float(nodes[tree.index(node)]),
        levels=node,
        leaf=(leaf[-1], float(probabilities[best])),
        alternatives=_alternatives(names, probabilities, best, top_k),
    )


def _alternatives(names: Sequence[str], probabilities: np.ndarray, best: int, top_k: int) -> list[tuple[str, float]]:
    others = [int(i) for i in np.argsort(-probabilities, kind="stable") if i != best]
    return [(names[i], float(probabilities[i])) for i in [best, *others][:top_k]]
