"""The likelihood of labels, where the label of a path stands for all leaves below it."""

import torch
from torch import Tensor

from resformer.model.schema.schema import Entity

__all__ = ["leaf_mask", "mean_log_likelihood"]


def leaf_mask(entity: Entity) -> Tensor:
    """Bool (labels, leaves): which leaves each node of a path has below it; the identity for a choice."""
    if entity.kind == "path":
        return torch.from_numpy(entity.taxonomy.members)
    return torch.eye(len(entity.labels)).bool()


def mean_log_likelihood(logits: Tensor, log_prior: Tensor, is_right: Tensor) -> Tensor:
    """Mean log probability of the right answers.

    Args:
        logits: (rows, leaves).
        log_prior: (leaves,), added to the logits.
        is_right: bool (rows, leaves): one label, or all leaves of a node.
    """
    log_probabilities = (log_prior + logits).log_softmax(dim=-1)
    return log_probabilities.masked_fill(~is_right, -torch.inf).logsumexp(dim=-1).mean()
