"""Withholding answers: the last step after decoding, for every kind of entity."""

from dataclasses import replace

from resformer.model.errors import BadRequest
from resformer.model.prediction import Prediction

__all__ = ["apply_min_confidence", "parse_min_confidence"]


def apply_min_confidence(
    guess: Prediction, min_confidence: float | None, *, empty_confidence: float = 0.0
) -> Prediction:
    """The guess, or the empty answer where the guess is less confident than `min_confidence`.

    Args:
        guess: the best guess; it is empty where nothing was found, and then stays as it is.
        min_confidence: 0 to 1; None keeps every guess.
        empty_confidence: probability that the empty answer is right; 0 of entities that know no empty answer.

    Returns:
        A prediction with the alternatives of the guess.
    """
    if min_confidence is None or not guess.prediction or guess.confidence >= min_confidence:
        return guess
    confidence = round(empty_confidence, 4)
    return replace(guess, prediction="", value=None, unit=None, si=None, confidence=confidence, evidence=None)


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
