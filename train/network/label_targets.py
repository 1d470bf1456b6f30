"""What a label may be: the empty answer, a label of a choice, a node of a path, or a leaf itself."""

import torch
from torch import Tensor

from resformer.model.schema.schema import Entity
from resformer.model.schema.taxonomy import parse_path

__all__ = ["EMPTY_TARGET", "target_answers", "target_departments", "target_index", "target_levels"]

EMPTY_TARGET = 0


def target_index(entity: Entity, text: str, *, exact: bool) -> int | None:
    """The target that a cell names; None where the taxonomy has no such node.

    The cell of a path holds a path, of which the deepest known node counts, or the name of a leaf.

    Args:
        exact: whether a node with leaves below it means that none of them is right; else any of them may be.

    Raises:
        ValueError: a choice has no such label.
    """
    if entity.kind == "choice":
        if text not in entity.labels:
            raise ValueError(f"{entity.name} has no label {text!r}; add it to the schema or leave the cell empty")
        return 1 + entity.labels.index(text)
    tree = entity.taxonomy
    path = parse_path(text)
    node = (tree.leaf(text) if len(path) == 1 else None) or tree.nearest(path)
    if not node:
        return None
    if exact and node in tree.leaves:
        return 1 + len(tree.nodes) + tree.leaves.index(node)
    return 1 + tree.index(node)


def target_answers(entity: Entity) -> Tensor:
    """Bool (targets, 1 + labels or leaves): the answers that are right for each target; the first is the empty one."""
    if entity.kind == "choice":
        return torch.eye(1 + len(entity.labels)).bool()
    members = torch.from_numpy(entity.taxonomy.members)
    targets = torch.cat([members, torch.eye(len(entity.taxonomy.leaves)).bool()])
    return torch.block_diag(torch.ones(1, 1), targets.float()).bool()


def target_departments(entity: Entity) -> Tensor:
    """Long (targets,): an integer for the root of each target's path; the empty one is by itself."""
    tree = entity.taxonomy
    roots = [tree.index(node[:1]) for node in (*tree.nodes, *tree.leaves)]
    return torch.tensor([0, *(1 + root for root in roots)])


def target_levels(entity: Entity, level_weights: tuple[float, ...]) -> Tensor:
    """Weights (targets, targets): of every target's probability in the loss of a target.

    A node counts with its ancestors, level by level; deeper levels have the last weight.
    """
    if entity.kind == "choice":
        return torch.eye(1 + len(entity.labels))
    tree = entity.taxonomy
    weights = torch.zeros(1 + len(tree.nodes) + len(tree.leaves), 1 + len(tree.nodes) + len(tree.leaves))
    weights[0, 0] = 1.0
    for i, node in enumerate(tree.nodes):
        for depth in range(1, len(node) + 1):
            weights[1 + i, 1 + tree.index(node[:depth])] = level_weights[min(depth, len(level_weights)) - 1]
    for i, leaf in enumerate(tree.leaves):
        row = 1 + len(tree.nodes) + i
        weights[row] = weights[1 + tree.index(leaf)]
        if leaf in tree.inner_leaves:
            weights[row, row] = level_weights[-1]
    return weights
