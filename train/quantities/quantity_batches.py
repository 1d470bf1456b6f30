"""Batches of an epoch, made from a seed: a resumed run gets those of an uninterrupted one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Dataset

from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.networks.quantity_network import QuantityBatch
from resformer.model.quantities.units import UNITS
from resformer.train.data.quantity_records import Question, Record
from resformer.train.quantities.layout_augment import augment
from resformer.train.quantities.quantity_loss import QuantityTargets, make_targets

__all__ = ["Augmentation", "QuantityBatches"]

# The text that answers one question may answer another one too, such as the maximum weight.
NEGATIVE_WEIGHT = 0.3


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Probabilities of changes to an example, see QuantityConfig."""

    p_unaugmented: float
    p_title: float
    p_negative_question: float
    p_drop_group: float
    p_drop_drawing: float


class QuantityBatches(Dataset[tuple[QuantityBatch, QuantityTargets]]):
    """The batches of one epoch, each made from (seed, epoch, its index) alone."""

    def __init__(
        self,
        records: Sequence[Record],
        preprocessor: QuantityPreprocessor,
        *,
        batch_size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation,
    ):
        self._records = records
        self._preprocessor = preprocessor
        self._seed = (seed, epoch)
        self._augmentation = augmentation
        self._batches = _shuffled(records, batch_size, np.random.default_rng(self._seed))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[QuantityBatch, QuantityTargets]:
        rng = np.random.default_rng((*self._seed, index))
        examples, questions = [], []
        for record in (self._records[i] for i in self._batches[index]):
            record = replace(
                record,
                group_id="" if rng.random() < self._augmentation.p_drop_group else record.group_id,
                drawing=None if rng.random() < self._augmentation.p_drop_drawing else record.drawing,
            )
            record = self._augmented(record, rng)
            assume_present = rng.random() >= self._augmentation.p_negative_question and record.assume_present
            asked = [*record.questions]
            if record.assume_present and not assume_present:
                asked += self._negative_question(record, rng)
            examples.append(
                self._preprocessor.example(
                    record.page,
                    [q.entity for q in asked],
                    text=record.text,
                    excluded_labels=[q.excluded_label for q in asked],
                    assume_present=float(assume_present),
                )
            )
            questions.append(asked)
        inputs = self._preprocessor.batch(examples)
        targets = make_targets(examples, questions, inputs.candidate_mask.shape[1])
        return inputs, targets

    def _negative_question(self, record: Record, rng: np.random.Generator) -> list[Question]:
        """At most one question that is not labelled, with what follows from the labelled ones.

        Users ask about every entity, labels name those that the photo shows. Without a candidate the answer is empty.
        A candidate with the same text as the answer to a labelled question is wrong, except for lengths: a square is
        as wide as it is high.
        """
        named = [q.entity for q in record.questions]
        others = [e for e in self._preprocessor.schema.quantities if e not in named]
        if not others:
            return []
        entity = others[rng.integers(len(others))]
        *found, candidates = self._preprocessor.candidates(record.lines, [*named, entity], record.text)
        if not candidates:
            return [Question(entity, ())]
        if UNITS[entity.units[0]].dimension == "length":
            return []
        taken = {
            (c.line, c.start)
            for question, labelled in zip(record.questions, found, strict=True)
            for c in labelled
            if c.quantity in question.accepted
        }
        negatives = frozenset(i for i, c in enumerate(candidates) if (c.line, c.start) in taken)
        weight = NEGATIVE_WEIGHT * min(q.weight for q in record.questions)
        return [Question(entity, (), negatives=negatives, weight=weight)] if negatives else []

    def _augmented(self, record: Record, rng: np.random.Generator) -> Record:
        """The record, perhaps with another layout in which its answers can be found."""
        if rng.random() < self._augmentation.p_unaugmented:
            return record
        found = self._preprocessor.candidates(record.lines, [q.entity for q in record.questions])
        right = [
            c
            for question, candidates in zip(record.questions, found, strict=True)
            for c in candidates
            if c.quantity in question.accepted
        ]
        if any(c.spans_lines or c.unit_from_context for c in right):
            return record  # its unit stands in another line, which would move away or be dropped
        return augment(record, rng, keep=frozenset(c.line for c in right), p_title=self._augmentation.p_title)


def _shuffled(records: Sequence[Record], size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Batches of record indices. Records with similar word counts share a batch, which keeps padding short."""
    words = np.array([sum(len(line.text.split()) for line in record.lines) for record in records])
    order = rng.permutation(len(records))
    batches = []
    for pool in np.array_split(order, max(1, len(order) // (8 * size))):
        by_words = pool[np.argsort(words[pool], kind="stable")]
        batches += [by_words[i : i + size] for i in range(0, len(by_words), size)]
    return [batches[i] for i in rng.permutation(len(batches))]
