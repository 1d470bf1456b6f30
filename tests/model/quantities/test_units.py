"""The unit table against definitions, and the spellings against the table."""

from decimal import Decimal
from fractions import Fraction

import pytest

from resformer.model.quantities.unit_aliases import CHARACTER_FOLD, UNIT_ALIASES, UNIT_CONFUSIONS
from resformer.model.quantities.units import UNITS, to_si

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


def test_every_unit_can_be_spelled_by_its_name() -> None:
    assert set(UNIT_ALIASES) == set(UNITS)
    assert set(UNIT_CONFUSIONS) <= set(UNITS)
    assert [unit for unit in UNITS if unit not in UNIT_ALIASES[unit]] == []


def test_a_spelling_stands_for_one_unit_of_a_dimension() -> None:
    spelled = [(UNITS[unit].dimension, s) for unit, spellings in UNIT_ALIASES.items() for s in spellings]
    assert sorted(set(spelled)) == sorted(spelled)


def test_folding_keeps_every_place() -> None:
    assert [c for c, folded in CHARACTER_FOLD.items() if len(folded) != 1] == []
    assert "５″ × 3′–4µ".translate(CHARACTER_FOLD) == "5\" x 3'-4u"
