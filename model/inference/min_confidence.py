"""The least confidence of answers that a request asks for."""

from resformer.model.errors import BadRequest

__all__ = ["parse_min_confidence"]


def parse_min_confidence(value: str | float | None) -> float | None:
    """The value of a request's `min_confidence`; None where it is None or blank.

    Raises:
        BadRequest: it is no number from 0 to 1.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 1:
        raise BadRequest(f"min_confidence is {str(value)[:40]!r}; send a number from 0 to 1, such as 0.8")
    return number
