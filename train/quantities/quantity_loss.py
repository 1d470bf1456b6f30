"""What the network is trained to answer, and how far it is from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from resformer.model.inference.quantity_inputs import QuantityExample
from resformer.model.networks.decoder import EMPTY, FIRST_CANDIDATE, UNREAD
from resformer.train.data.quantity_records import Question

__all__ = ["Targets", "answer_loss", "make_targets"]


@dataclass
class Targets:
    """Right answers of Q questions with C candidates.

    Attributes:
        right: bool (Q, FIRST_CANDIDATE + C) what is right, see PointerDecoder; nothing where that is not known.
        rejected: bool (Q, C) candidates that are wrong, of questions whose right answer is not known.
        trust: (Q) weight of each question.
    """

    right: Tensor
    rejected: Tensor
    trust: Tensor

    def to(self, device: torch.device | str) -> "Targets":
        return Targets(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def make_targets(examples: Sequence[QuantityExample], questions: Sequence[Sequence[Question]], count: int) -> Targets:
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
    rejected = torch.zeros(len(pairs), count, dtype=torch.bool)
    for row, (candidates, question) in enumerate(pairs):
        for c, candidate in enumerate(candidates):
            right[row, FIRST_CANDIDATE + c] = candidate.quantity in question.accepted
        rejected[row, sorted(question.rejected)] = True
        if not (right[row].any() or question.rejected):
            right[row, UNREAD if question.accepted else EMPTY] = True
    return Targets(right, rejected, torch.tensor([question.trust for _, question in pairs]))


def answer_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Mean negative log likelihood of the right answers, each weighted by its trust.

    Several answers may be right: their probabilities add up. Where only wrong candidates are known, the likelihood is
    that of all else (unlikelihood, arXiv 1908.04319).

    Args:
        logits: (Q, FIRST_CANDIDATE + C).
    """
    logp = logits.float().log_softmax(dim=-1)
    known = targets.right.any(dim=1)
    right = logp.masked_fill(~targets.right, float("-inf"))
    # logsumexp of an all -inf row has no gradient worth keeping, so those rows get a neutral filler.
    likely = -torch.where(known[:, None], right, torch.zeros_like(right)).logsumexp(dim=1)
    wrong = logp[:, FIRST_CANDIDATE:].exp().masked_fill(~targets.rejected, 0.0).sum(dim=1)
    unlikely = -torch.log1p(-wrong.clamp(max=1 - 1e-4))
    return (torch.where(targets.rejected.any(dim=1), unlikely, likely) * targets.trust).mean()
