"""Quantities in their canonical form, and quantities found in a text or on a photo."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from resformer.model.ocr.boxes import Box
from resformer.model.quantities.units import UNITS, to_si

__all__ = ["Candidate", "Quantity", "QuantityMatch"]


@dataclass(frozen=True)
class Quantity:
    """A positive amount, or a range from a smaller to a larger one, in one unit.

    Attributes:
        values: the amount, or the two ends of a range.
        unit: canonical name of the unit.

    Raises:
        ValueError: the unit is unknown, or the values are not one or two positive numbers in rising order.
    """

    values: tuple[Decimal, ...]
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unknown unit {self.unit!r}; known are {', '.join(UNITS)}")
        if not all(value.is_finite() and value > 0 for value in self.values) or not (
            len(self.values) == 1 or (len(self.values) == 2 and self.values[0] < self.values[1])
        ):
            raise ValueError(f"values must be one positive number or two that rise, not {self.values}")

    def __str__(self) -> str:
        """The canonical string: `1.5 kilogram`, `[100, 240] volt`; shortest decimals, no exponent."""
        numbers = [f"{value:f}" for value in self.values]
        numbers = [n.rstrip("0").rstrip(".") if "." in n else n for n in numbers]
        number = numbers[0] if len(numbers) == 1 else f"[{', '.join(numbers)}]"
        return f"{number} {self.unit}"

    @property
    def value(self) -> float | list[float]:
        """The number, or [low, high] of a range."""
        values = [float(value) for value in self.values]
        return values if len(values) > 1 else values[0]

    @property
    def si_values(self) -> tuple[float, ...]:
        """The values in the SI unit."""
        return tuple(float(to_si(value, self.unit)) for value in self.values)

    def si(self) -> dict[str, Any]:
        """`{"value": ..., "unit": ...}` in the SI unit; the value is [low, high] for a range."""
        values = self.si_values
        return {"value": list(values) if len(values) > 1 else values[0], "unit": UNITS[self.unit].si_unit}


@dataclass(frozen=True, kw_only=True)
class QuantityMatch:
    """A quantity in a text, and how it is written there.

    Attributes:
        quantity: the value and its unit.
        start: position of its first character in the text.
        end: position behind its last character. A unit taken from elsewhere is not included.
        axis: the axis written beside the number, one of the keys of AXIS_WORDS, or "".
        chain_index: position in a chain `a x b x c`, from 0.
        chain_length: how many numbers the chain has; 1 for a number alone.
        range_member: whether it is one end of a range.
        unit_inherited: whether the number is bare and has the unit of another number in the line.
        ocr_corrected: whether an OCR confusion in the number or unit was corrected.
        compound: whether two units make one quantity (5' 2").
        multipack_total: whether it is the total of a multi-pack (6 x 330 ml).
        per_area: whether it is the weight of an area of cloth or paper (300 g/m²).
    """

    quantity: Quantity
    start: int
    end: int
    axis: str = ""
    chain_index: int = 0
    chain_length: int = 1
    range_member: bool = False
    unit_inherited: bool = False
    ocr_corrected: bool = False
    compound: bool = False
    multipack_total: bool = False
    per_area: bool = False


@dataclass(frozen=True, kw_only=True)
class Candidate(QuantityMatch):
    """A quantity on a photo or in the caller's text; see QuantityMatch for the other attributes.

    Attributes:
        line: index of its text line, in which `start` and `end` are positions; -1 for the caller's text.
        box: its box in pixels; None for the caller's text.
        text_height: height of its characters in pixels, across the line; 0 for the caller's text.
        spans_lines: whether its number and its unit stand in two neighbouring lines.
        unit_from_context: whether the number is bare and has the unit of a note or of the other lengths.
        has_equivalent: whether another candidate gives the same amount in another unit.
        repeats: how many candidates give this quantity, itself included.
    """

    line: int = -1
    box: Box | None = None
    text_height: float = 0.0
    spans_lines: bool = False
    unit_from_context: bool = False
    has_equivalent: bool = False
    repeats: int = 1
