"""How much each voice counts in an answer: picture, words, both together, lexicon."""

import math

import torch
from torch import Tensor

from resformer.train.attributes.fit_bag_of_words import likelihood

__all__ = ["fit_trust"]


def fit_trust(logits: Tensor, prior: Tensor, right: Tensor) -> Tensor:
    """The weights (voices,) with which logits are summed so that right answers are likeliest.

    A logarithmic opinion pool (Heskes, Selecting weighting factors in logarithmic opinion pools, NIPS 1997); of one
    voice it is the inverse of a temperature (Guo et al., arXiv 1706.04599). Where there are a few rows, voices count
    about alike: how far they are from that weighs as much as one row.

    Args:
        logits: (voices, rows, answers), of products that nothing learned from. prior: (answers,), added to the sum.
        right: bool (rows, answers), which ones are: one label, or all leaves of a node.
    """
    voices, rows = logits.shape[:2]
    alike = -math.log(voices)
    log_trust = torch.full((voices,), alike, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_trust], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        summed = (log_trust.exp()[:, None, None] * logits).sum(dim=0)
        value = (log_trust - alike).square().sum() / rows - likelihood(summed, prior, right)
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    return log_trust.detach().exp()
