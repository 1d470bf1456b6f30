"""The table of units: what each measures, its exact size in SI, and how products write it.

The table is `units.yaml`; a schema may register more units.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

__all__ = ["SHIPPED_UNITS", "UNITS", "Unit", "register_units", "to_si", "with_si_unit"]

UNITS_FILE = Path(__file__).parents[1] / "units.yaml"


def _words(text: str) -> str:
    if not re.fullmatch("[a-z]+( [a-z]+)*", text):
        raise ValueError("must be words in lower case")
    return text


def _lower(text: str) -> str:
    if text != text.lower():
        raise ValueError("must be in lower case")
    return text


Name = Annotated[str, AfterValidator(_words)]
Alias = Annotated[str, Field(min_length=1), AfterValidator(_lower)]
# By its digits: Fraction(3.6) is that of the nearest binary number.
Multiple = Annotated[Decimal, BeforeValidator(lambda value: str(value)), Field(gt=0)]
Factor = Annotated[Fraction, BeforeValidator(lambda value: str(value)), Field(gt=0)]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Unit:
    """A unit of measure.

    Attributes:
        name: canonical: long and singular.
        dimension: what it measures.
        si_unit: the SI unit of the dimension.
        factor: how many SI units make one.
        aliases: how products write it, in lower case; the name is among them. See units.yaml.
        multiples: how many of it a unit without a canonical name is, by the alias of that unit.
        ocr_confusions: what OCR makes of an alias right behind a number.
        area_density_aliases: the unit with the area of cloth or paper that the amount is of.

    Raises:
        pydantic.ValidationError: a field has a wrong value.
    """

    name: Name
    dimension: Name
    si_unit: Name
    factor: Factor
    aliases: tuple[Alias, ...]
    multiples: Mapping[Alias, Multiple] = Field(default_factory=dict)
    ocr_confusions: tuple[Alias, ...] = ()
    area_density_aliases: tuple[Alias, ...] = ()

    @field_validator("aliases")
    @classmethod
    def _with_name(cls, aliases: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        name = info.data.get("name")
        return aliases if name is None or name in aliases else (*aliases, name)


_document: dict[str, Any] = yaml.safe_load(UNITS_FILE.read_text(encoding="utf-8"))
_dimensions: dict[str, str] = _document["dimensions"]


def with_si_unit(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a unit as a file declares it, with the SI unit of its dimension where that is a shipped one."""
    dimension = entry.get("dimension")
    shipped = {"si_unit": _dimensions[dimension]} if isinstance(dimension, str) and dimension in _dimensions else {}
    return {**shipped, **entry}


SHIPPED_UNITS: tuple[Unit, ...] = tuple(Unit(**with_si_unit(entry)) for entry in _document["units"])
"""The units of units.yaml, in its order."""

_registry = {unit.name: unit for unit in SHIPPED_UNITS}

UNITS: Mapping[str, Unit] = MappingProxyType(_registry)
"""All units by name: the shipped ones, and those that schemas have registered."""


def register_units(units: Iterable[Unit]) -> None:
    """Adds units to UNITS; a unit that is there already changes nothing.

    Raises:
        ValueError: a unit has the name of another one, or its dimension has another SI unit.
    """
    for unit in units:
        if _registry.get(unit.name, unit) != unit:
            raise ValueError(f"unit {unit.name!r} is defined already, in another way; give it another name")
        other = next((known for known in _registry.values() if known.dimension == unit.dimension), unit)
        if other.si_unit != unit.si_unit:
            raise ValueError(
                f"unit {unit.name!r}: si_unit is {unit.si_unit!r}, must be that of {unit.dimension}, {other.si_unit!r}"
            )
        _registry[unit.name] = unit


def to_si(value: Decimal | Fraction | int, unit: str) -> Fraction:
    """The exact value in the SI unit of `unit`'s dimension, `UNITS[unit].si_unit`.

    Raises:
        ValueError: `unit` is not a canonical unit name.
    """
    if unit not in UNITS:
        raise ValueError(f"unknown unit {unit!r}; known are {', '.join(UNITS)}")
    return Fraction(value) * UNITS[unit].factor
