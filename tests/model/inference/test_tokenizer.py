from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Schema

TOKENIZER = Tokenizer(Schema.load())
LATER = ("maximum_weight_recommendation", "voltage", "wattage", "item_volume")


def test_sections_do_not_overlap() -> None:
    units = [TOKENIZER.unit(unit.name) for unit in TOKENIZER.schema.units]
    symbols = TOKENIZER.encode_number(Quantity((Decimal("1234567.89"), Decimal(10**7)), "volt"))
    assert {*units, *symbols, TOKENIZER.pad_id} == set(range(TOKENIZER.first_subword))
    assert not set(units) & set(symbols)
    prompts = [TOKENIZER.prompt(name) for name in ("width", "depth", "height", "item_weight", *LATER)]
    assert prompts == list(range(TOKENIZER.first_prompt, TOKENIZER.vocab_size))


def test_one_token_a_digit_and_one_a_unit() -> None:
    quantity = parse_quantity("12.5 fluid ounce", ("fluid ounce",))
    assert quantity is not None
    one, two, point, five = TOKENIZER.encode_number(quantity)
    assert [one, five, two] == TOKENIZER.encode_number(Quantity((Decimal(152),), "gram"))
    assert point == TOKENIZER.encode_number(Quantity((Decimal("0.1"),), "gram"))[1]
    assert TOKENIZER.unit("fluid ounce") != TOKENIZER.unit("ounce")


@given(st.text(max_size=60))
def test_decode_is_the_inverse_of_encode(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_are_never_merged(digits: str) -> None:
    assert len(TOKENIZER.encode(f"x{digits}g")) == len(digits) + 2
