"""Answers for photos that nobody labelled, from boosted trees that learned from those that somebody did."""

from collections.abc import Sequence
from dataclasses import replace

from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.quantities.parser import parse_quantity
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.baselines.trees import Trees

__all__ = ["label"]

LEAST_TRUST = 0.6


def label(unlabelled: Sequence[Record], labelled: Sequence[Record], preprocessor: QuantityPreprocessor) -> list[Record]:
    """The unlabelled records with the answers that the trees are sure of, each trusted as much as its score.

    A catalogue asks about what its products have: that nothing is shown is never concluded, and a question without a
    sure answer weighs nothing. A photo with none is left out.
    """
    trees = Trees(labelled, preprocessor)
    records = []
    for record in unlabelled:
        example = preprocessor.example(record.page, [q.entity for q in record.questions])
        questions = []
        for i, question in enumerate(record.questions):
            answer, score = trees.choose(example, i)
            quantity = parse_quantity(answer, question.entity.units) if score >= LEAST_TRUST else None
            known = replace(question, accepted=(quantity,), trust=score) if quantity else replace(question, trust=0.0)
            questions.append(known)
        if any(question.trust for question in questions):
            records.append(replace(record, questions=tuple(questions)))
    return records
