"""Which answers are withheld, and what is left of them."""

import pytest

from resformer.model.errors import BadRequest
from resformer.model.inference.abstention import apply_min_confidence, parse_min_confidence
from resformer.model.prediction import Alternative, Prediction

SI = {"value": 0.5, "unit": "kilogram"}
ALTERNATIVES = [Alternative("500 gram", 0.6), Alternative("", 0.3)]
GUESS = Prediction("500 gram", 500.0, "gram", SI, 0.6, [1.0, 2.0, 3.0, 4.0], ALTERNATIVES)
EMPTY = Prediction("", None, None, None, 0.9, None)


@pytest.mark.parametrize("min_confidence", [None, 0.0, 0.5, 0.6])
def test_a_guess_that_is_confident_enough_is_the_answer(min_confidence: float | None) -> None:
    assert apply_min_confidence(GUESS, min_confidence, empty_confidence=0.3) is GUESS


def test_a_withheld_answer_leaves_the_confidence_of_the_empty_one_and_the_alternatives() -> None:
    withheld = apply_min_confidence(GUESS, 0.61, empty_confidence=0.30004)
    assert withheld == Prediction("", None, None, None, 0.3, None, ALTERNATIVES)
    assert apply_min_confidence(GUESS, 0.61).confidence == 0.0


@pytest.mark.parametrize("min_confidence", [None, 0.0, 0.95, 1.0])
def test_an_empty_answer_stays(min_confidence: float | None) -> None:
    assert apply_min_confidence(EMPTY, min_confidence, empty_confidence=0.1) is EMPTY


@pytest.mark.parametrize(
    ("value", "number"), [(None, None), ("", None), (" ", None), ("0", 0.0), (" .5 ", 0.5), (1, 1.0), ("1e-2", 0.01)]
)
def test_values(value: str | float | None, number: float | None) -> None:
    assert parse_min_confidence(value) == number


@pytest.mark.parametrize("value", ["high", "80%", "0,8", "nan", "inf", "-0.1", "1.01", float("nan"), 2, "9" * 5000])
def test_values_out_of_range_are_refused(value: str | float) -> None:
    with pytest.raises(BadRequest, match="send a number from 0 to 1"):
        parse_min_confidence(value)
