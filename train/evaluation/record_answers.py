"""Predictions for labelled records, and their score."""

from collections.abc import Sequence

from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.quantity_metrics import Score, score

__all__ = ["Answers", "answer_record", "answer_records", "score_answers"]

Answers = dict[str, dict[str, Prediction]]


def answer_record(predictor: Predictor, record: Record, min_confidence: float | None = None) -> dict[str, Prediction]:
    """Predictions by entity name for the questions of a record, from its own text lines.

    The product is presumed to have the values, as its labels name them.

    Args:
        min_confidence: see Predictor.predict.
    """
    questions = {q.entity.name: q for q in record.questions}.values()
    result = predictor.predict_page(
        record.page,
        [q.entity for q in questions],
        text=record.text,
        excluded_labels=[q.excluded_label for q in questions],
        min_confidence=min_confidence,
        assume_present=True,
    )
    return result.predictions


def answer_records(predictor: Predictor, records: Sequence[Record], min_confidence: float | None = None) -> Answers:
    """Predictions by record name and entity name; arguments as of answer_record."""
    return {record.name: answer_record(predictor, record, min_confidence) for record in records}


def score_answers(records: Sequence[Record], answers: Answers) -> Score:
    """The score of answers to the questions of records."""
    return score(
        (q.entity.name, answers[r.name][q.entity.name].prediction, q.accepted_texts)
        for r in records
        for q in r.questions
    )
