"""What a predictor returns."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Alternative", "Prediction", "Result"]


@dataclass(frozen=True)
class Alternative:
    """Another possible answer and its probability."""

    prediction: str
    confidence: float


@dataclass(frozen=True)
class Prediction:
    """The answer for one entity.

    Attributes:
        prediction: the canonical string; empty where the photo does not show the value, and where the answer is less
            confident than the `min_confidence` that was asked for.
        value: a number, `[low, high]` of a range, the levels of a path from its root; None without an answer and for
            other kinds.
        unit: the long singular name of a quantity's unit; None without one.
        si: value and unit in SI; None without a quantity.
        confidence: probability that the answer is right, 0 to 1, calibrated on photos held out of training; of a text
            the geometric mean of its tokens' probabilities. Of an empty answer, whatever the reason, the probability
            that the photo does not show the value; 0 of entities that know no empty answer.
        evidence: x0, y0, x1, y1 of where the answer was read, in pixels of the upright photo; None where it was not
            read there.
        alternatives: the likeliest quantities, labels or leaves, where they were asked for, also of an empty answer. A
            text has none.
    """

    prediction: str
    value: float | list[float] | list[str] | None
    unit: str | None
    si: dict[str, Any] | None
    confidence: float
    evidence: list[float] | None
    alternatives: list[Alternative] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The keys of a response."""
        answer = asdict(self)
        if self.alternatives is None:
            del answer["alternatives"]
        return answer


@dataclass(frozen=True)
class Result:
    """The answers about one photo of `width` x `height` pixels."""

    width: int
    height: int
    predictions: dict[str, Prediction]

    def as_dict(self) -> dict[str, Any]:
        """The keys `image` and `predictions` of a response."""
        return {
            "image": {"width": self.width, "height": self.height},
            "predictions": {name: p.as_dict() for name, p in self.predictions.items()},
        }
