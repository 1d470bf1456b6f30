"""From the probabilities of labels to the answers of choices and paths."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import SEPARATOR

__all__ = ["EMPTY_ABOVE", "MIN_LEVEL_PROBABILITY", "LabelAnswer", "decode_choice", "decode_path", "derive_choice"]

MIN_LEVEL_PROBABILITY = 0.4
"""A path descends to the deepest level of at least this probability, unless the caller says otherwise. Of 0.2, 0.3,
0.4, 0.5 and 0.6 it has the best strict F1 of the first level on the validation photos of products."""

EMPTY_ABOVE = 0.5
"""An answer is empty where that is more probable, unless the caller says otherwise."""


@dataclass(frozen=True)
class LabelAnswer:
    """One answer.

    Attributes:
        text: a label, a node as it is written, or "" where the answer is empty.
        probability: of the label or node; of the empty answer, that nothing would be right.
        levels: of a path, root first.
        alternatives: the likeliest labels or leaves, "" for the empty answer, with their probabilities.
    """

    text: str
    probability: float
    levels: tuple[str, ...] = ()
    alternatives: list[tuple[str, float]] = field(default_factory=list)


def decode_choice(
    labels: Sequence[str],
    probabilities: np.ndarray,
    min_confidence: float | None,
    top_k: int,
    *,
    empty_above: float = EMPTY_ABOVE,
) -> LabelAnswer:
    """The likeliest label, or the empty answer.

    Args:
        probabilities: (1 + labels,), of the empty answer first.
        min_confidence: the answer is empty where the label is less likely; None: where that is likelier than
            `empty_above`.
        top_k: how many alternatives the answer has.
    """
    best = 1 + int(np.argmax(probabilities[1:]))
    alternatives = _alternatives(["", *labels], probabilities, top_k)
    if _is_empty(probabilities, probabilities[best], min_confidence, empty_above):
        return LabelAnswer("", float(probabilities[0]), alternatives=alternatives)
    return LabelAnswer(labels[best - 1], float(probabilities[best]), alternatives=alternatives)


def derive_choice(entity: Entity, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (1 + labels,) of a choice among labels that the leaves of a path have.

    Args:
        probabilities: (1 + leaves,), of the path's empty answer first.
    """
    derived = np.zeros(1 + len(entity.labels))
    index = [0, *(0 if label is None else 1 + label for label in entity.leaf_labels)]
    np.add.at(derived, index, probabilities)
    return derived


def decode_path(
    entity: Entity,
    probabilities: np.ndarray,
    min_confidence: float | None,
    top_k: int,
    *,
    empty_above: float = EMPTY_ABOVE,
) -> LabelAnswer:
    """The path with the highest expected number of right levels, down to the deepest level that is probable enough.

    It stops at an inner leaf that is likelier than the next level.

    Args:
        probabilities: (1 + leaves,), of the empty answer first.
        min_confidence: of a level; None: MIN_LEVEL_PROBABILITY, and the path is empty where that is likelier than
            `empty_above`.
        top_k: how many alternatives the answer has.
    """
    tree = entity.taxonomy
    leaves = probabilities[1:]
    # Where the leaves of one parent share its probability, the likeliest leaf of all may lie elsewhere.
    leaf = tree.leaves[int(np.argmax(tree.expected_levels(leaves)))]
    nodes = tree.node_probabilities(leaves)
    names = ["", *(SEPARATOR.join(path) for path in entity.paths)]
    alternatives = _alternatives(names, probabilities, top_k)
    least = MIN_LEVEL_PROBABILITY if min_confidence is None else min_confidence
    node: tuple[str, ...] = ()
    for level in (leaf[:depth] for depth in range(1, len(leaf) + 1)):
        p_inner_leaf = leaves[tree.leaves.index(node)] if node in tree.inner_leaves else 0.0
        if nodes[tree.index(level)] < max(least, p_inner_leaf):
            break
        node = level
    if not node or _is_empty(probabilities, nodes[tree.index(node)], min_confidence, empty_above):
        return LabelAnswer("", float(probabilities[0]), alternatives=alternatives)
    return LabelAnswer(SEPARATOR.join(node), float(nodes[tree.index(node)]), node, alternatives)


def _is_empty(probabilities: np.ndarray, p_answer: float, min_confidence: float | None, empty_above: float) -> bool:
    return bool(probabilities[0] > empty_above if min_confidence is None else p_answer < min_confidence)


def _alternatives(names: Sequence[str], probabilities: np.ndarray, top_k: int) -> list[tuple[str, float]]:
    order = np.argsort(-probabilities, kind="stable")[:top_k]
    return [(names[i], float(probabilities[i])) for i in order]
