"""Fitting of the weights of ensemble members."""

import math

import torch
from torch import Tensor

from resformer.train.attributes.label_likelihood import mean_log_likelihood

__all__ = ["fit_member_weights"]


def fit_member_weights(logits: Tensor, log_prior: Tensor, is_right: Tensor) -> Tensor:
    """The weights (members,) with which the sum of the members' logits makes the right answers most probable.

    A logarithmic opinion pool (Heskes, Selecting weighting factors in logarithmic opinion pools, NIPS 1997); the weight
    of a single member is the inverse of a temperature (Guo et al., arXiv 1706.04599). A penalty on the distance from
    equal weights, as heavy as one row, keeps the fit stable where there are few rows.

    Args:
        logits: (members, rows, leaves), of products that nothing was trained on.
        log_prior: (leaves,), added to the sum.
        is_right: bool (rows, leaves), see mean_log_likelihood.
    """
    members, rows = logits.shape[:2]
    equal = -math.log(members)
    log_weights = torch.full((members,), equal, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_weights], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        summed = (log_weights.exp()[:, None, None] * logits).sum(dim=0)
        value = (log_weights - equal).square().sum() / rows - mean_log_likelihood(summed, log_prior, is_right)
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    return log_weights.detach().exp()
