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
            that there is one, times the geometric mean of its steps' probabilities, and of one from a catalogue how
            well similar products agree. Of an empty answer, whatever the reason, the probability
            that there is nothing to answer.
        evidence: x0, y0, x1, y1 of where the answer was read, in pixels of the upright photo; None where it was not
            read there.
        alternatives: the likeliest quantities, labels or leaves, or what was written as a text, where they were asked
            for; also of an empty answer.
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
    """The answers about one photo of `width` x `height` pixels.

    Attributes:
        frame: position of the frame or page that was read, from 1.
        frames: how many the file has.
    """

    width: int
    height: int
    predictions: dict[str, Prediction]
    frame: int = 1
    frames: int = 1

    def as_dict(self) -> dict[str, Any]:
        """The keys `image` and `predictions` of a response; frames are named where there are several."""
        several = {"frame": self.frame, "frames": self.frames} if self.frames > 1 else {}
        return {
            "image": {"width": self.width, "height": self.height, **several},
            "predictions": {name: p.as_dict() for name, p in self.predictions.items()},
        }
