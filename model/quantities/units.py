"""The table of units: what each measures and its exact size in SI.

Gallon, quart, pint, cup and fluid ounce are those of the United States; a ton is 1,000 kilogram.
How units are printed is told in `model/quantities/unit_aliases.py`.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

__all__ = ["UNITS", "Unit", "to_si"]

SI_UNITS = {
    "length": "metre",
    "mass": "kilogram",
    "voltage": "volt",
    "power": "watt",
    "volume": "cubic metre",
}

# Strings, so that every factor is exact.
FACTORS = {
    "length": {
        "millimetre": "0.001",
        "centimetre": "0.01",
        "metre": "1",
        "inch": "0.0254",
        "foot": "0.3048",
        "yard": "0.9144",
    },
    "mass": {
        "microgram": "0.000000001",
        "milligram": "0.000001",
        "gram": "0.001",
        "kilogram": "1",
        "ton": "1000",
        "ounce": "0.028349523125",
        "pound": "0.45359237",
    },
    "voltage": {"millivolt": "0.001", "volt": "1", "kilovolt": "1000"},
    "power": {"watt": "1", "kilowatt": "1000"},
    "volume": {
        "microlitre": "0.000000001",
        "millilitre": "0.000001",
        "centilitre": "0.00001",
        "decilitre": "0.0001",
        "litre": "0.001",
        "cubic inch": "0.000016387064",
        "cubic foot": "0.028316846592",
        "fluid ounce": "0.0000295735295625",
        "cup": "0.0002365882365",
        "pint": "0.000473176473",
        "quart": "0.000946352946",
        "gallon": "0.003785411784",
        "imperial gallon": "0.00454609",
    },
}


@dataclass(frozen=True)
class Unit:
    """A unit of measure: `factor` SI units (`si_unit`) make one of it."""

    name: str
    dimension: str
    factor: Fraction
    si_unit: str


UNITS: dict[str, Unit] = {
    name: Unit(name, dimension, Fraction(factor), SI_UNITS[dimension])
    for dimension, factors in FACTORS.items()
    for name, factor in factors.items()
}
"""All units by their canonical name: long and singular."""


def to_si(value: Decimal | Fraction | int, unit: str) -> Fraction:
    """The exact value in the SI unit of `unit`'s dimension, `UNITS[unit].si_unit`.

    Raises:
        ValueError: `unit` is not a canonical unit name.
    """
    if unit not in UNITS:
        raise ValueError(f"unknown unit {unit!r}; known are {', '.join(UNITS)}")
    return Fraction(value) * UNITS[unit].factor
