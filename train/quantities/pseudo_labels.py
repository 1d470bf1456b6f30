"""Answers for unlabelled photos from boosted trees that learn from labelled ones."""

from collections.abc import Sequence
from dataclasses import replace

from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.quantities.parser import parse_quantity
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.baselines.trees import Trees

__all__ = ["pseudo_label"]

MIN_SCORE = 0.6


def pseudo_label(
    unlabelled: Sequence[Record], labelled: Sequence[Record], preprocessor: QuantityPreprocessor
) -> list[Record]:
    """The unlabelled records with the trees' confident answers, each weighted by its score.

    A catalogue asks about values that its products have, so "not shown" is never an answer, and a question without a
    confident answer has weight 0. A photo without any is left out.
    """
    trees = Trees(labelled, preprocessor)
    records = []
    for record in unlabelled:
        example = preprocessor.example(record.page, [q.entity for q in record.questions])
        questions = []
        for i, question in enumerate(record.questions):
            answer, score = trees.choose(example, i)
            quantity = parse_quantity(answer, question.entity.units) if score >= MIN_SCORE else None
            accepted = (quantity,) if quantity else ()
            questions.append(replace(question, accepted=accepted, weight=score if quantity else 0.0))
        if any(question.weight for question in questions):
            records.append(replace(record, questions=tuple(questions)))
    return records
