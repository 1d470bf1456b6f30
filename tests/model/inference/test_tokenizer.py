"""Tokens of prompts, answers, numbers, units and text."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from tests.model.conftest import SCHEMA, TOKENIZER


def test_sections_do_not_overlap() -> None:
    tokens = [TOKENIZER.pad_id, TOKENIZER.bos_id, TOKENIZER.eos_id, TOKENIZER.unread_id]
    tokens += dict.fromkeys(TOKENIZER.encode_number(Quantity((Decimal("1234567.89"), Decimal(10**7)), "volt")))
    tokens += [TOKENIZER.unit(unit.name) for unit in SCHEMA.units]
    tokens += [TOKENIZER.prompt(entity) for entity in TOKENIZER.entities]
    tokens += [token for entity in TOKENIZER.entities for token in TOKENIZER.answers(entity)]
    assert sorted(tokens) == list(range(TOKENIZER.num_answers))
    assert TOKENIZER.subwords == range(TOKENIZER.num_answers, TOKENIZER.vocab_size)


def test_every_entity_has_an_empty_answer_and_its_labels() -> None:
    for entity in TOKENIZER.entities:
        answers = TOKENIZER.answers(entity)
        assert len(answers) == 1 + len(entity.labels) + len(entity.paths)
        assert answers[0] == TOKENIZER.empty(entity)


def test_labels_of_another_entity_have_no_tokens() -> None:
    derived = {"masterCategory", "subCategory", "articleType"}
    assert {entity.name for entity in SCHEMA.entities} - {entity.name for entity in TOKENIZER.entities} == derived
    with pytest.raises(KeyError):
        TOKENIZER.prompt(SCHEMA["articleType"])


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


def test_a_broken_subword_file_says_what_makes_one(tmp_path: Path) -> None:
    (tmp_path / "subwords.json").write_text("{}")
    with pytest.raises(ValueError, match=r"cannot read the subwords .*; `resformer data"):
        Tokenizer(SCHEMA, tmp_path / "subwords.json")
