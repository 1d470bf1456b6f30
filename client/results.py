"""What a server answers, as it is described in handler/openapi.yaml."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Strict

__all__ = ["Alternative", "PhotoSize", "Prediction", "Result", "SIValue"]

# No text: the level of a path may be digits.
Number = Annotated[float, Strict()]


class _Answer(BaseModel):
    """Part of an answer. Keys that a later server adds are left out."""

    model_config = ConfigDict(frozen=True)


class SIValue(_Answer):
    """A quantity in SI units.

    Attributes:
        value: A number, or low and high of a range.
        unit: The long singular name, such as `kilogram`.
    """

    value: Number | tuple[Number, Number]
    unit: str


class Alternative(_Answer):
    """Another possible answer and its probability."""

    prediction: str
    confidence: float


class Prediction(_Answer):
    """The answer for one entity.

    Attributes:
        prediction: The canonical string; empty where nothing is shown, and where nothing is sure enough.
        value: A number, low and high of a range, or the levels of a path from its root; None without an answer and for
            other kinds.
        unit: The long singular name of a quantity's unit, else None.
        si: Value and unit in SI; None without a quantity.
        confidence: The probability that the answer is right; of an empty one, that there is nothing to answer.
        evidence: x0, y0, x1, y1 of where the answer was read, in pixels of the upright photo; None where it was not
            read there.
        alternatives: The likeliest answers, where `top_k` asks for them, else None.
    """

    prediction: str
    value: Number | tuple[Number, Number] | tuple[str, ...] | None
    unit: str | None
    si: SIValue | None
    confidence: float
    evidence: tuple[float, float, float, float] | None
    alternatives: tuple[Alternative, ...] | None = None


class PhotoSize(_Answer):
    """Pixels of the upright photo.

    Attributes:
        frame: Position of the frame or page that was read, from 1; None where the file has one.
        frames: How many the file has; None where it is one.
    """

    width: int
    height: int
    frame: int | None = None
    frames: int | None = None


class Result(_Answer):
    """The answers about one photo.

    Attributes:
        version: Of the weights.
        predictions: By name of the entity; `result["voltage"]` is short for `result.predictions["voltage"]`.
    """

    model: Literal["resformer"]
    version: str
    image: PhotoSize
    predictions: dict[str, Prediction]

    def __getitem__(self, entity: str) -> Prediction:
        return self.predictions[entity]
