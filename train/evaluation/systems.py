"""The systems that choose a quantity among the candidates: Resformer, rules and boosted trees."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from resformer.model.inference.inputs import Preprocessor
from resformer.model.predictor import Predictor
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.baselines.rules import Rules
from resformer.train.evaluation.baselines.trees import Trees
from resformer.train.evaluation.labelled_rows import LabelledRow
from resformer.train.evaluation.quantity_scores import score_rows
from resformer.train.evaluation.record_answers import answer_record

__all__ = [
    "Answers",
    "System",
    "best_threshold",
    "resformer_system",
    "rows_of_records",
    "rules_system",
    "trees_system",
    "without_optional_inputs",
]

Answers = list[tuple[str, float]]
"""Canonical prediction and confidence of each question of a record."""

System = Callable[[Record], Answers]


def resformer_system(predictor: Predictor) -> System:
    """The network of a predictor, on a photo whose text is given."""

    def answer(record: Record) -> Answers:
        by_entity = answer_record(predictor, record)
        predictions = [by_entity[question.entity.name] for question in record.questions]
        return [(prediction.prediction, prediction.confidence) for prediction in predictions]

    return answer


def rules_system(preprocessor: Preprocessor) -> System:
    """Rules, always with confidence 1."""
    rules = Rules(preprocessor.schema)

    def answer(record: Record) -> Answers:
        entities = [question.entity for question in record.questions]
        candidates = preprocessor.candidates(record.lines, entities)
        return [(rules.choose(record.page, e, c), 1.0) for e, c in zip(entities, candidates, strict=True)]

    return answer


def trees_system(trees: Trees, preprocessor: Preprocessor, threshold: float = 0.0) -> System:
    """Boosted trees; a score below the threshold means "not shown"."""

    def answer(record: Record) -> Answers:
        sample = preprocessor.sample(
            record.page,
            [question.entity for question in record.questions],
            excluded_labels=[question.excluded_label for question in record.questions],
        )
        chosen = [trees.choose(sample, i) for i in range(len(record.questions))]
        return [(text if score >= threshold else "", score) for text, score in chosen]

    return answer


def best_threshold(trees: Trees, preprocessor: Preprocessor, records: Sequence[Record]) -> float:
    """The threshold of the trees, in steps of 0.05, with the highest micro-F1 on these records."""
    rows = rows_of_records(records)
    system = trees_system(trees, preprocessor)
    answers = [answer for record in records for answer in system(record)]

    def f1(threshold: float) -> float:
        return score_rows(rows, [text if score >= threshold else "" for text, score in answers]).micro.f1

    return max((i / 20 for i in range(20)), key=f1)


def rows_of_records(records: Sequence[Record]) -> list[LabelledRow]:
    """A labelled row for each question of the records."""
    return [
        LabelledRow(record.name, question.entity.name, question.accepted_texts)
        for record in records
        for question in record.questions
    ]


def without_optional_inputs(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records without each input that a caller may lack, by the name of the input.

    These are the line drawing, and the picture and the group of the product where any record has one.
    """
    reduced = {"line drawing": [replace(record, drawing=None) for record in records]}
    if any(record.photo for record in records):
        reduced["picture"] = [replace(record, photo=None) for record in records]
    if any(record.group_id for record in records):
        reduced["group"] = [replace(record, group_id="") for record in records]
    return reduced
