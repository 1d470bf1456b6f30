"""The values of `min_confidence` that a request may send."""

import pytest

from resformer.model.errors import BadRequest
from resformer.model.inference.min_confidence import parse_min_confidence


@pytest.mark.parametrize(
    ("value", "number"), [(None, None), ("", None), (" ", None), ("0", 0.0), (" .5 ", 0.5), (1, 1.0), ("1e-2", 0.01)]
)
def test_values(value: str | float | None, number: float | None) -> None:
    assert parse_min_confidence(value) == number


@pytest.mark.parametrize("value", ["high", "80%", "0,8", "nan", "inf", "-0.1", "1.01", float("nan"), 2, "9" * 5000])
def test_values_out_of_range_are_refused(value: str | float) -> None:
    with pytest.raises(BadRequest, match="send a number from 0 to 1"):
        parse_min_confidence(value)
