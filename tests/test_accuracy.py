"""The shipped weights keep the accuracy that BENCHMARKS.md states; needs the labelled photos beside the checkout."""

from pathlib import Path

import pytest

from model.predictor import Predictor
from train.evaluate import predict_rows, predict_rows_from_words, read_rows, score_rows

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.parametrize(
    ("labels", "words", "photos", "floor"),
    [
        ("amazon/labels_val.csv", "amazon/words_val.jsonl.gz", "amazon/val", 0.80),
        ("hand/labels_hand_val.csv", "hand/words_val.jsonl.gz", "hand/val", 0.865),
    ],
)
def test_f1_on_words_read_before(labels: str, words: str, photos: str, floor: float) -> None:
    if not (DATA / labels).exists():
        pytest.skip("the labelled photos are not beside this checkout")
    predictor = Predictor.load(reader="none", threads=2)
    rows = read_rows(DATA / labels, predictor.schema)
    answers = predict_rows_from_words(rows, predictor, DATA / words, DATA / photos)
    result = score_rows(rows, [answer.prediction for answer in answers])
    assert result.micro.f1 > floor, result.table()


@pytest.mark.parametrize(("reader", "floor"), [("crops", 0.77), ("none", 0.72)])
def test_f1_of_readers_that_look(reader: str, floor: float) -> None:
    """On the first hand-labelled photos, read here and now."""
    labels = DATA / "hand" / "labels_hand_val.csv"
    if not labels.exists():
        pytest.skip("the labelled photos are not beside this checkout")
    predictor = Predictor.load(reader=reader, threads=2)
    photos = sorted({row.photo for row in read_rows(labels, predictor.schema)})[:40]
    rows = [row for row in read_rows(labels, predictor.schema) if row.photo in photos]
    answers = predict_rows(rows, predictor, DATA / "hand" / "val")
    result = score_rows(rows, [answer.prediction for answer in answers])
    assert result.micro.f1 > floor, result.table()
