"""Boxes of answers against the text lines of another reader."""

import pytest

from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.schema.schema import Schema
from resformer.train.evaluation.localisation import is_localised, localisation_accuracy

WEIGHT = Schema.load()["item_weight"]


def line(text: str, x: float, y: float) -> TextLine:
    return TextLine(((x, y), (x + 100, y), (x + 100, y + 20), (x, y + 20)), text, 0.9)


def prediction_at(prediction: str, evidence: list[float] | None) -> Prediction:
    return Prediction(prediction, None, None, None, 0.9, evidence)


OTHER = (line("500 g", 10, 10), line("500 gram", 10, 200), line("2 kg", 300, 10))


def test_a_box_over_the_same_quantity_is_localised() -> None:
    assert is_localised(prediction_at("500 gram", [0, 190, 130, 230]), WEIGHT, OTHER)
    assert is_localised(prediction_at("500 gram", [20, 15, 40, 25]), WEIGHT, OTHER)  # within it


def test_a_box_elsewhere_is_not() -> None:
    assert is_localised(prediction_at("500 gram", [300, 10, 400, 30]), WEIGHT, OTHER) is False


def test_nothing_to_compare() -> None:
    assert is_localised(prediction_at("", None), WEIGHT, OTHER) is None
    assert is_localised(prediction_at("500 gram", None), WEIGHT, OTHER) is None  # from the caller's text
    assert is_localised(prediction_at("7 gram", [0, 0, 9, 9]), WEIGHT, OTHER) is None


def test_accuracy_leaves_out_what_cannot_be_compared() -> None:
    right, wrong, absent = (
        prediction_at("500 gram", [10, 10, 110, 30]),
        prediction_at("2 kilogram", [10, 10, 110, 30]),
        prediction_at("7 gram", [0, 0, 9, 9]),
    )
    answers = [("a.jpg", WEIGHT, p) for p in (right, wrong, absent)]
    assert localisation_accuracy(answers, {"a.jpg": OTHER}) == (0.5, 2)
    with pytest.raises(ValueError, match="no answer has a box"):
        localisation_accuracy(answers[2:], {"a.jpg": OTHER})
