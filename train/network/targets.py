"""Right answers of a batch's questions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from resformer.model.inference.inputs import Sample
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.quantity import Quantity
from resformer.train.data.quantity_records import Question
from resformer.train.network.text_targets import TextTarget, text_target

__all__ = ["Answers", "Targets", "make_targets"]


@dataclass(frozen=True)
class Answers:
    """What is known of the answers about one sample.

    Attributes:
        quantities: by entity name. labels: see LabelledPhoto. texts: by entity name.
    """

    quantities: Mapping[str, Question]
    labels: Mapping[str, int]
    texts: Mapping[str, str]


@dataclass
class Targets:
    """Right answers of a batch's questions: R about quantities with at most M candidates, and T texts of S steps.

    Attributes:
        quantities: (R, 2), sample and question of each.
        right: bool (R, 2 + M): the empty answer, UNREAD, and the candidates of the sample.
        empty_tokens: (R,), the token of the empty answer.
        weight: (R,), of each question.
        labels: by entity, the (n, 3) rows sample, question, target.
        texts: (T, 2), sample and question of each text.
        steps: (T, S), what the decoder is given: tokens, or -1 - w for the word w of the sample.
        right_steps: (T, S, K), what may follow each step, in the same form; padded with `no_step`.
        products: (P,), the training item of each picture; empty outside of training, and where the batch has pixels.
        may_flip: bool (P,), which of the batch's pixels may be mirrored; empty where it has none.
        num_samples: B.
    """

    quantities: Tensor
    right: Tensor
    empty_tokens: Tensor
    weight: Tensor
    labels: dict[str, Tensor]
    texts: Tensor
    steps: Tensor
    right_steps: Tensor
    num_samples: int
    products: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    may_flip: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))

    no_step = -(1 << 30)

    def to(self, device: torch.device | str) -> "Targets":
        """The targets on a device."""
        moved: dict[str, Any] = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in vars(self).items()}
        return Targets(**{**moved, "labels": {name: rows.to(device) for name, rows in self.labels.items()}})


def make_targets(
    tokenizer: Tokenizer,
    samples: Sequence[Sample],
    answers: Sequence[Answers],
    generic: Mapping[str, Collection[str]],
) -> Targets:
    """The targets of samples, in the order of Preprocessor.batch; a question without a known answer has none.

    Args:
        generic: by text entity, the words that may be spelled, see text_target.
    """
    num_candidates = max([1, *(len(s.units) for s in samples)])
    quantities, right, empty, weight = [], [], [], []
    labels: dict[str, list[tuple[int, int, int]]] = {}
    texts: list[tuple[int, int]] = []
    written: list[TextTarget] = []
    for b, (sample, known) in enumerate(zip(samples, answers, strict=True)):
        first = 0
        for q, entity in enumerate(sample.entities):
            found = [c.quantity for c in sample.candidates[q]]
            if entity.name in known.quantities:
                question = known.quantities[entity.name]
                quantities.append((b, q))
                right.append(_right(found, question, first, num_candidates))
                empty.append(tokenizer.empty(entity))
                weight.append(question.weight)
            elif entity.name in known.labels:
                labels.setdefault(entity.name, []).append((b, q, known.labels[entity.name]))
            elif entity.name in known.texts:
                texts.append((b, q))
                text = known.texts[entity.name]
                written.append(text_target(tokenizer, text, entity, sample.words, generic.get(entity.name)))
            first += len(found)
    steps, right_steps = _padded(written)
    return Targets(
        quantities=torch.tensor(quantities, dtype=torch.long).reshape(-1, 2),
        right=torch.tensor(right, dtype=torch.bool).reshape(-1, 2 + num_candidates),
        empty_tokens=torch.tensor(empty, dtype=torch.long),
        weight=torch.tensor(weight, dtype=torch.float32),
        labels={name: torch.tensor(rows) for name, rows in labels.items()},
        texts=torch.tensor(texts, dtype=torch.long).reshape(-1, 2),
        steps=steps,
        right_steps=right_steps,
        num_samples=len(samples),
    )


def _right(found: Sequence[Quantity], question: Question, first: int, num_candidates: int) -> list[bool]:
    """Which of the empty answer, UNREAD and the sample's candidates are right; `first` is the question's first one."""
    is_right = [False] * (2 + num_candidates)
    for i, quantity in enumerate(found):
        is_right[2 + first + i] = quantity in question.accepted
    is_right[0] = question.empty_accepted
    if not any(is_right):
        is_right[1 if question.accepted else 0] = True
    return is_right


def _padded(texts: Sequence[TextTarget]) -> tuple[Tensor, Tensor]:
    length = max([1, *(len(t.steps) for t in texts)])
    width = max([1, *(len(r) for t in texts for r in t.right)])
    steps = torch.zeros(len(texts), length, dtype=torch.long)
    right = torch.full((len(texts), length, width), Targets.no_step)
    for i, text in enumerate(texts):
        steps[i, : len(text.steps)] = torch.tensor(text.steps)
        for j, alternatives in enumerate(text.right):
            right[i, j, : len(alternatives)] = torch.tensor(alternatives)
    return steps, right
