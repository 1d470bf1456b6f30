"""Answers for unlabelled photos from boosted trees that learn from labelled ones."""

from collections.abc import Sequence
from dataclasses import replace

from resformer.model.inference.inputs import Preprocessor
from resformer.model.quantities.parser import parse_quantity
from resformer.train.data.quantity_records import Question, Record
from resformer.train.evaluation.baselines.row_trees import RowTrees
from resformer.train.evaluation.baselines.trees import Trees

__all__ = ["pseudo_label", "pseudo_label_rows"]

MIN_SCORE = 0.6
MAX_EMPTY_SCORE = 0.15  # of the best answer to a question whose answer is taken to be empty


def pseudo_label(unlabelled: Sequence[Record], labelled: Sequence[Record], preprocessor: Preprocessor) -> list[Record]:
    """The unlabelled records with the questions that the trees answer confidently, each weighted by its score.

    A catalogue asks about values that its products have, so "not shown" is never an answer. A photo without any
    confident answer is left out.
    """
    trees = Trees(labelled, preprocessor)
    records = []
    for record in unlabelled:
        sample = preprocessor.sample(record.page, [q.entity for q in record.questions], assume_present=True)
        questions = []
        for i, question in enumerate(record.questions):
            answer, score = trees.choose(sample, i)
            quantity = parse_quantity(answer, question.entity.units) if score >= MIN_SCORE else None
            if quantity is not None:
                questions.append(replace(question, accepted=(quantity,), weight=score))
        if questions:
            records.append(replace(record, questions=tuple(questions)))
    return records


def pseudo_label_rows(unlabelled: Sequence[Record], rows: Sequence[Record], preprocessor: Preprocessor) -> list[Record]:
    """The unlabelled records as whole rows: of each quantity, what the trees are sure of, weighted by its score.

    Args:
        rows: whole rows, which the trees learn from.
    """
    trees = RowTrees(rows, preprocessor)
    records = []
    for record in unlabelled:
        questions = []
        for name, (answer, score) in trees.best(record).items():
            entity = preprocessor.schema[name]
            quantity = parse_quantity(answer, entity.units) if score >= MIN_SCORE else None
            if quantity is not None:
                questions.append(Question(entity, (quantity,), weight=score))
            elif score <= MAX_EMPTY_SCORE:
                questions.append(Question(entity, (), weight=1 - score))
        if questions:
            records.append(replace(record, questions=tuple(questions), assume_present=False))
    return records
