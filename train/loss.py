"""What the network is trained to answer, and how far it is from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model.inputs import Example
from model.vocabulary import Vocabulary
from train.datasets import Question

__all__ = ["Targets", "answer_loss", "make_targets"]


@dataclass
class Targets:
    """Right answers of Q questions with C candidates.

    Attributes:
        tokens: (Q, T) decoder input, begins with <bos>.
        spelled: (Q, T) the token to follow each one, padded; all padding where a candidate is right.
        candidates: bool (Q, C) the candidates that are right.
        rejected: bool (Q, C) candidates that are wrong, of questions whose right answer is not known.
        trust: (Q) weight of each question.
    """

    tokens: Tensor
    spelled: Tensor
    candidates: Tensor
    rejected: Tensor
    trust: Tensor

    def to(self, device: torch.device | str) -> "Targets":
        return Targets(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def make_targets(
    vocabulary: Vocabulary, examples: Sequence[Example], questions: Sequence[Sequence[Question]], count: int
) -> Targets:
    """Targets of the questions of a batch, in the order of Preprocessor.batch.

    A right candidate is pointed to; the empty answer and a value that is no candidate are spelled.

    Args:
        count: candidates C that the batch was padded to.
    """
    pairs = [
        (e.candidates[q], asked)
        for e, all_asked in zip(examples, questions, strict=True)
        for q, asked in enumerate(all_asked)
    ]
    right = torch.zeros(len(pairs), count, dtype=torch.bool)
    rejected = torch.zeros(len(pairs), count, dtype=torch.bool)
    spelled: list[list[int]] = []
    for row, (candidates, question) in enumerate(pairs):
        for c, candidate in enumerate(candidates):
            right[row, c] = candidate.quantity in question.accepted
        rejected[row, sorted(question.rejected)] = True
        if right[row].any() or question.rejected:
            spelled.append([])
        elif question.accepted:
            spelled.append([*vocabulary.encode_quantity(question.accepted[0]), vocabulary.eos])
        else:
            spelled.append([vocabulary.empty, vocabulary.eos])
    length = max(1, *(len(s) for s in spelled))
    tokens = torch.full((len(pairs), length), vocabulary.pad)
    targets = torch.full((len(pairs), length), vocabulary.pad)
    tokens[:, 0] = vocabulary.bos
    for row, ids in enumerate(spelled):
        targets[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
        tokens[row, 1 : len(ids)] = torch.tensor(ids[:-1], dtype=torch.long)
    trust = torch.tensor([question.trust for _, question in pairs])
    return Targets(tokens, targets, right, rejected, trust)


def answer_loss(logits: Tensor, targets: Targets, vocabulary: Vocabulary, spelling_weight: float) -> Tensor:
    """Mean negative log likelihood of the right answers, each weighted by its trust.

    Several candidates may be right: their probabilities add up. Tokens after the first of a spelled answer
    weigh `spelling_weight` in all. Where only wrong candidates are known, the likelihood is that of all else
    (unlikelihood, arXiv 1908.04319).

    Args:
        logits: (Q, T, spelled + C).
    """
    logp = logits.float().log_softmax(dim=-1)
    pointers = logp[:, 0, vocabulary.spelled :].masked_fill(~targets.candidates, float("-inf"))
    points = targets.candidates.any(dim=1)
    # logsumexp of an all -inf row has no gradient worth keeping, so those rows get a neutral filler.
    pointed = torch.where(points[:, None], pointers, torch.zeros_like(pointers)).logsumexp(dim=1)
    present = targets.spelled != vocabulary.pad
    each = F.nll_loss(logp.transpose(1, 2), targets.spelled, reduction="none") * present
    rest = each[:, 1:].sum(dim=1) / present[:, 1:].sum(dim=1).clamp(min=1)
    wrong = logp[:, 0, vocabulary.spelled :].exp().masked_fill(~targets.rejected, 0.0).sum(dim=1)
    unlikely = -torch.log1p(-wrong.clamp(max=1 - 1e-4))
    known = torch.where(points, -pointed, each[:, 0] + spelling_weight * rest)
    each_question = torch.where(targets.rejected.any(dim=1), unlikely, known)
    return (each_question * targets.trust).mean()
