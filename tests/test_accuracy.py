"""The shipped weights keep the accuracy that BENCHMARKS.md states; needs the labelled photos beside the checkout."""

from pathlib import Path

import pytest

from model.predictor import Predictor
from train.evaluate import predict_rows_from_words, read_rows
from train.metrics import score

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.parametrize(
    ("labels", "words", "floor"),
    [
        ("amazon/labels_val.csv", "amazon/words_val.jsonl.gz", 0.78),
        ("hand/labels_hand_val.csv", "hand/words_val.jsonl.gz", 0.86),
    ],
)
def test_f1_on_words_read_before(labels: str, words: str, floor: float) -> None:
    if not (DATA / labels).exists():
        pytest.skip("the labelled photos are not beside this checkout")
    predictor = Predictor.load(reader="none", threads=2)
    rows = read_rows(DATA / labels, predictor.schema)
    predictions = predict_rows_from_words(rows, predictor, DATA / words, None)
    result = score((entity, p, accepted) for (_, entity, accepted), p in zip(rows, predictions, strict=True))
    assert result.micro.f1 > floor, result.table()
