"""Answers of a predictor for labelled records, and their score."""

from collections.abc import Sequence

from model.photo import decode
from model.predictor import Prediction, Predictor
from train.datasets import Record
from train.metrics import Score, score

__all__ = ["Answers", "answer_from_words", "score_answers"]

Answers = dict[str, dict[str, Prediction]]


def answer_from_words(predictor: Predictor, records: Sequence[Record], *, picture: bool = False) -> Answers:
    """Predictions by record name and entity name, from the words that the records hold.

    `picture`: the photo goes through the image stream too.
    """
    answers = {}
    for record in records:
        image = decode(record.photo.read_bytes()) if picture and record.photo else None
        asked = list(dict.fromkeys(q.entity for q in record.questions))
        size = (record.width, record.height)
        result = predictor.answer(record.lines, size, asked, image=image, text=record.text)
        answers[record.name] = result.predictions
    return answers


def score_answers(records: Sequence[Record], answers: Answers) -> Score:
    """Scores answers against the records' questions."""
    return score(
        (q.entity.name, answers[r.name][q.entity.name].prediction, tuple(map(str, q.accepted)))
        for r in records
        for q in r.questions
    )
