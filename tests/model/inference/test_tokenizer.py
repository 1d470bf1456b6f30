from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Schema

VOCABULARY = Vocabulary(Schema.load())
LAST = ("maximum_weight_recommendation", "voltage", "wattage", "item_volume")


def test_sections_do_not_overlap() -> None:
    units = [VOCABULARY.unit(unit) for unit in UNITS]
    symbols = VOCABULARY.number(Quantity((Decimal("1234567.89"), Decimal(10**7)), "volt"))
    assert {*units, *symbols, VOCABULARY.pad} == set(range(VOCABULARY.first_subword))
    assert not set(units) & set(symbols)
    prompts = [VOCABULARY.prompt(name) for name in ("width", "depth", "height", "item_weight", *LAST)]
    assert prompts == list(range(VOCABULARY.first_prompt, VOCABULARY.size))


def test_one_token_a_digit_and_one_a_unit() -> None:
    quantity = parse_quantity("12.5 fluid ounce", ("fluid ounce",))
    assert quantity is not None
    one, two, point, five = VOCABULARY.number(quantity)
    assert [one, five, two] == VOCABULARY.number(Quantity((Decimal(152),), "gram"))
    assert point == VOCABULARY.number(Quantity((Decimal("0.1"),), "gram"))[1]
    assert VOCABULARY.unit("fluid ounce") != VOCABULARY.unit("ounce")


@given(st.text(max_size=60))
def test_text_survives(text: str) -> None:
    assert VOCABULARY.decode_text(VOCABULARY.encode_text(text)) == text


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_are_never_merged(digits: str) -> None:
    assert len(VOCABULARY.encode_text(f"x{digits}g")) == len(digits) + 2
