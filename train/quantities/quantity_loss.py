"""Targets of the quantity network and their loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from resformer.model.inference.quantity_inputs import QuantityExample
from resformer.model.networks.decoder import EMPTY, FIRST_CANDIDATE, UNREAD
from resformer.train.data.quantity_records import Question

__all__ = ["QuantityTargets", "make_targets", "quantity_loss"]


@dataclass
class QuantityTargets:
    """Right answers of Q questions with C candidates.

    Attributes:
        right: bool (Q, FIRST_CANDIDATE + C), the right answers, see PointerDecoder; all False where none is known.
        negatives: bool (Q, C), candidates that are wrong, of questions whose right answer is not known.
        weight: (Q,), of each question.
    """

    right: Tensor
    negatives: Tensor
    weight: Tensor

    def to(self, device: torch.device | str) -> "QuantityTargets":
        """The same on a device."""
        return QuantityTargets(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def make_targets(
    examples: Sequence[QuantityExample], questions: Sequence[Sequence[Question]], count: int
) -> QuantityTargets:
    """Targets of the questions of a batch, in the order of QuantityPreprocessor.batch.

    Args:
        count: candidates C that the batch was padded to.
    """
    pairs = [
        (e.candidates[q], asked)
        for e, all_asked in zip(examples, questions, strict=True)
        for q, asked in enumerate(all_asked)
    ]
    right = torch.zeros(len(pairs), FIRST_CANDIDATE + count, dtype=torch.bool)
    negatives = torch.zeros(len(pairs), count, dtype=torch.bool)
    for row, (candidates, question) in enumerate(pairs):
        for c, candidate in enumerate(candidates):
            right[row, FIRST_CANDIDATE + c] = candidate.quantity in question.accepted
        negatives[row, sorted(question.negatives)] = True
        if not question.negatives:
            right[row, EMPTY] = question.empty_is_right
            right[row, UNREAD] = not right[row].any()
    return QuantityTargets(right, negatives, torch.tensor([question.weight for _, question in pairs]))


def quantity_loss(logits: Tensor, targets: QuantityTargets) -> Tensor:
    """Mean negative log likelihood of the right answers, each with its weight.

    Several answers may be right: their probabilities add up. Where only wrong candidates are known, it is the
    likelihood of all other answers (unlikelihood, arXiv 1908.04319).

    Args:
        logits: (Q, FIRST_CANDIDATE + C).
    """
    logp = logits.float().log_softmax(dim=-1)
    known = targets.right.any(dim=1)
    right = logp.masked_fill(~targets.right, float("-inf"))
    # The gradient of logsumexp over a row of -inf is nan, so those rows are zeros.
    right_nll = -torch.where(known[:, None], right, torch.zeros_like(right)).logsumexp(dim=1)
    wrong = logp[:, FIRST_CANDIDATE:].exp().masked_fill(~targets.negatives, 0.0).sum(dim=1)
    unlikelihood = -torch.log1p(-wrong.clamp(max=1 - 1e-4))
    return (torch.where(targets.negatives.any(dim=1), unlikelihood, right_nll) * targets.weight).mean()
