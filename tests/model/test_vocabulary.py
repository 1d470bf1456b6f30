from hypothesis import given
from hypothesis import strategies as st

from model.quantity import parse_quantity
from model.schema import Schema
from model.vocabulary import Vocabulary

VOCABULARY = Vocabulary(Schema.load())
LAST = ("maximum_weight_recommendation", "voltage", "wattage", "item_volume")


def test_sections_do_not_overlap() -> None:
    names = [VOCABULARY.name(i) for i in range(VOCABULARY.first_subword)]
    assert len(set(names)) == len(names)
    prompts = [VOCABULARY.prompt(name) for name in ("width", "depth", "height", "item_weight", *LAST)]
    assert prompts == list(range(VOCABULARY.first_prompt, VOCABULARY.size))


def test_one_token_a_digit_and_one_a_unit() -> None:
    quantity = parse_quantity("12.5 fluid ounce", ("fluid ounce",))
    assert quantity is not None
    tokens = VOCABULARY.encode_quantity(quantity)
    assert [VOCABULARY.name(t) for t in tokens] == ["1", "2", ".", "5", "fluid ounce"]


@given(st.text(max_size=60))
def test_text_survives(text: str) -> None:
    assert VOCABULARY.decode_text(VOCABULARY.encode_text(text)) == text


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_are_never_merged(digits: str) -> None:
    assert len(VOCABULARY.encode_text(f"x{digits}g")) == len(digits) + 2
