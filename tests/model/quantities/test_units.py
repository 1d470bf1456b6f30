"""The table of units against definitions, its aliases, and registration."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from pydantic import ValidationError

from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.units import SHIPPED_UNITS, UNITS, Unit, register_units, to_si, with_si_unit

# From the definitions: yard 0.9144 m, pound 0.45359237 kg, US gallon 231 cubic inches, imperial gallon 4.54609 l.
INCH = Fraction(9144, 360000)
POUND = Fraction("0.45359237")
GALLON = 231 * INCH**3


@pytest.mark.parametrize(
    ("unit", "size", "si_unit"),
    [
        ("inch", INCH, "metre"),
        ("foot", 12 * INCH, "metre"),
        ("yard", 36 * INCH, "metre"),
        ("pound", POUND, "kilogram"),
        ("ounce", POUND / 16, "kilogram"),
        ("ton", 1000, "kilogram"),
        ("microgram", Fraction(1, 10**9), "kilogram"),
        ("millivolt", Fraction(1, 1000), "volt"),
        ("kilowatt", 1000, "watt"),
        ("litre", Fraction(1, 1000), "cubic metre"),
        ("cubic inch", INCH**3, "cubic metre"),
        ("cubic foot", (12 * INCH) ** 3, "cubic metre"),
        ("gallon", GALLON, "cubic metre"),
        ("quart", GALLON / 4, "cubic metre"),
        ("pint", GALLON / 8, "cubic metre"),
        ("cup", GALLON / 16, "cubic metre"),
        ("fluid ounce", GALLON / 128, "cubic metre"),
        ("imperial gallon", Fraction("0.00454609"), "cubic metre"),
    ],
)
def test_factor_is_exact(unit: str, size: Fraction, si_unit: str) -> None:
    assert to_si(1, unit) == size
    assert UNITS[unit].si_unit == si_unit


def test_value_is_scaled() -> None:
    assert to_si(Decimal("1.5"), "gram") == Fraction(15, 10**4)


def test_unknown_unit_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'horsepower'.*watt"):
        to_si(1, "horsepower")


def test_every_unit_can_be_written_by_its_name() -> None:
    assert [unit.name for unit in SHIPPED_UNITS if unit.name not in unit.aliases] == []


def test_an_alias_stands_for_one_unit_of_a_dimension() -> None:
    aliases = [(unit.dimension, alias) for unit in SHIPPED_UNITS for alias in unit.aliases]
    assert sorted(set(aliases)) == sorted(aliases)


def test_the_factor_is_exact_and_the_name_an_alias_however_a_file_writes_them() -> None:
    entry = {"name": "milliampere hour", "dimension": "charge", "si_unit": "coulomb", "factor": 3.6, "aliases": ["mah"]}
    unit = Unit(**with_si_unit(entry))
    assert unit.factor == Fraction(18, 5)
    assert unit.aliases == ("mah", "milliampere hour")


def test_units_with_wrong_fields_are_refused() -> None:
    with pytest.raises(ValidationError) as raised:
        Unit(name="Mile", dimension="length", si_unit="metre", factor=Fraction(-1), aliases=("MI",))
    assert [error["loc"][0] for error in raised.value.errors()] == ["name", "factor", "aliases"]


def test_registering_a_known_unit_changes_nothing_and_another_of_its_name_is_refused() -> None:
    before = dict(UNITS)
    register_units([UNITS["gram"]])
    with pytest.raises(ValueError, match=r"'gram' is defined already"):
        register_units([replace(UNITS["gram"], aliases=("grain",))])
    with pytest.raises(ValueError, match=r"'stone': si_unit is 'pound', must be that of mass, 'kilogram'"):
        register_units([replace(UNITS["gram"], name="stone", si_unit="pound")])
    assert before == UNITS


def test_folding_keeps_every_position() -> None:
    assert [c for c, folded in CHARACTER_FOLD.items() if len(folded) != 1] == []
    assert "５″ × 3′–4µ".translate(CHARACTER_FOLD) == "5\" x 3'-4u"
