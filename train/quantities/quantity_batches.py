"""Batches of an epoch: made from a seed, so that a resumed run sees what an uninterrupted one would have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Dataset

from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.networks.quantity_network import QuantityBatch
from resformer.model.quantities.units import UNITS
from resformer.train.data.quantity_records import Question, Record
from resformer.train.quantities.layout_augment import augment
from resformer.train.quantities.quantity_loss import Targets, make_targets

__all__ = ["Batches", "Shares"]

# The print that answers one question may answer another one too, such as that for a maximum weight.
OTHER_TRUST = 0.3


@dataclass(frozen=True)
class Shares:
    """How often a batch or an example comes how.

    Attributes:
        as_printed: word-only examples whose layout stays as it is.
        title: word-only examples with an answer moved into the title.
        all: examples that ask for their entities as one who asks for everything, perhaps with one more, which the
            labels do not name.
        no_group: examples that hide the group of the product, as most callers do.
        no_drawing: examples without the segments on their photo, as where words alone are at hand.
    """

    as_printed: float
    title: float
    all: float
    no_group: float
    no_drawing: float


class Batches(Dataset[tuple[QuantityBatch, Targets]]):
    """The batches of one epoch, each made from (seed, epoch, its number) alone."""

    def __init__(
        self,
        records: Sequence[Record],
        preprocessor: QuantityPreprocessor,
        *,
        batch_size: int,
        seed: int,
        epoch: int,
        shares: Shares,
    ):
        self._records = records
        self._preprocessor = preprocessor
        self._seed = (seed, epoch)
        self._shares = shares
        self._batches = _shuffled(records, batch_size, np.random.default_rng(self._seed))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> tuple[QuantityBatch, Targets]:
        rng = np.random.default_rng((*self._seed, number))
        chosen = [self._records[i] for i in self._batches[number]]
        examples, questions = [], []
        for record in chosen:
            record = replace(
                record,
                group_id="" if rng.random() < self._shares.no_group else record.group_id,
                drawing=None if rng.random() < self._shares.no_drawing else record.drawing,
            )
            seen = self._seen(record, rng)
            labelled = rng.random() >= self._shares.all
            asked = [*record.questions, *([] if labelled else self._other(seen, rng))]
            examples.append(
                self._preprocessor.example(
                    seen.page,
                    [q.entity for q in asked],
                    text=seen.text,
                    excluded_labels=[q.excluded_label for q in asked],
                    assume_present=float(labelled),
                )
            )
            questions.append(asked)
        inputs = self._preprocessor.batch(examples)
        targets = make_targets(examples, questions, inputs.candidate_mask.shape[1])
        return inputs, targets

    def _other(self, record: Record, rng: np.random.Generator) -> list[Question]:
        """At most one question that nobody labelled, with what the labelled ones tell of its answer.

        Users ask for everything, labels name what a photo shows. Where no quantity of such an entity is printed
        the answer is empty. Where the very print is there that answers a labelled question, it does not answer
        this one too. Lengths are left out of that: a square is as wide as it is high.
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
        rejected = frozenset(i for i, c in enumerate(candidates) if (c.line, c.start) in taken)
        trust = OTHER_TRUST * min(q.trust for q in record.questions)
        return [Question(entity, (), rejected=rejected, trust=trust)] if rejected else []

    def _seen(self, record: Record, rng: np.random.Generator) -> Record:
        if rng.random() < self._shares.as_printed:
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
        return augment(record, rng, keep=frozenset(c.line for c in right), text_share=self._shares.title)


def _shuffled(records: Sequence[Record], size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Batches of record numbers. Photos with about as many words share one: what is padded is computed too."""
    words = np.array([sum(len(line.text.split()) for line in record.lines) for record in records])
    order = rng.permutation(len(records))
    batches = []
    for pool in np.array_split(order, max(1, len(order) // (8 * size))):
        by_words = pool[np.argsort(words[pool], kind="stable")]
        batches += [by_words[i : i + size] for i in range(0, len(by_words), size)]
    return [batches[i] for i in rng.permutation(len(batches))]
