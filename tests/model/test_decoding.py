"""Decoding rules on scripted next-token probabilities."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from model.decoding import Answer, Crossing, Steps, decode
from model.grammar import CandidateGrammar, QuantityGrammar
from model.schema import Schema
from model.vocabulary import Vocabulary

SCHEMA = Schema.load()
VOCABULARY = Vocabulary(SCHEMA)
WEIGHT = SCHEMA["item_weight"]
SIZE = VOCABULARY.spelled


def answers(
    steps: list[list[dict[int, float]]], grammars: list[Any], strings: list[list[str]], **settings: Any
) -> list[Answer]:
    """Decodes with these probabilities of tokens, per step and question; all others are impossible."""
    candidates = max(map(len, strings))
    asked = iter(steps)

    def decoder(tokens: torch.Tensor, memory: Any, cache: Any) -> torch.Tensor:
        rows = torch.zeros(len(grammars), 1, SIZE + candidates)
        for row, probabilities in zip(rows, next(asked), strict=True):
            for token, probability in probabilities.items():
                row[0, token] = probability
        return rows.log()

    network: Any = SimpleNamespace(
        decoder=type("Decoder", (), {"start": lambda self, m: None, "__call__": lambda self, *a: decoder(*a)})(),
        preset=SimpleNamespace(max_tokens=12),
    )
    memory: Any = SimpleNamespace(question=torch.zeros(1))
    steps = Steps(network, VOCABULARY.bos, len(grammars), lambda: memory)
    return decode(steps, VOCABULARY, grammars, strings, **settings)


def symbols(*names: str) -> list[int]:
    return [VOCABULARY.symbol(name) for name in names]


def test_equal_strings_are_one_answer() -> None:
    """Two prints of 500 gram win together over one of 17.6 ounce that is likelier than either."""
    strings = ["500 gram", "17.6 ounce", "500 gram"]
    step = {SIZE: 0.25, SIZE + 1: 0.4, SIZE + 2: 0.3, VOCABULARY.empty: 0.05}
    (answer,) = answers([[step]], [CandidateGrammar(VOCABULARY, 3)], [strings])
    assert answer.candidate == 2  # the likelier print is the evidence
    assert answer.probability == pytest.approx(0.55)


def test_empty_wins_where_it_is_likeliest() -> None:
    step = {SIZE: 0.4, VOCABULARY.empty: 0.6}
    (answer,) = answers([[step]], [CandidateGrammar(VOCABULARY, 1)], [["500 gram"]])
    assert (answer.candidate, answer.tokens) == (None, [])
    assert answer.probability == pytest.approx(0.6)


def test_empty_has_to_be_likelier_by_a_margin() -> None:
    """Where both are about as likely, the answer is worth giving; its confidence stays its own."""
    step = {SIZE: 0.45, VOCABULARY.empty: 0.55}
    (answer,) = answers([[step]], [CandidateGrammar(VOCABULARY, 1)], [["500 gram"]])
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.45)


def test_temperature_softens_the_confidence() -> None:
    step = {SIZE: 0.9, VOCABULARY.empty: 0.1}
    (answer,) = answers([[step]], [CandidateGrammar(VOCABULARY, 1)], [["500 gram"]], temperature=2.0)
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(3 / 4)  # odds of nine to one become three to one


def test_what_the_grammar_forbids_is_never_answered() -> None:
    """The likeliest token of all spells a digit, but there are candidates to choose from."""
    five = symbols("5")[0]
    step = {five: 0.9, SIZE: 0.06, VOCABULARY.empty: 0.04}
    (answer,) = answers([[step]], [CandidateGrammar(VOCABULARY, 1)], [["500 gram"]])
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.06)


def test_a_value_is_spelled_to_its_end() -> None:
    five, zero, gram = symbols("5", "0", "gram")
    empty = {VOCABULARY.empty: 0.1}
    steps = [[{five: 0.9, **empty}], [{zero: 0.8, gram: 0.2}], [{gram: 0.9, zero: 0.1}], [{VOCABULARY.eos: 1.0}]]
    (answer,) = answers(steps, [QuantityGrammar(VOCABULARY, WEIGHT)], [[]])
    assert answer.tokens == [five, zero, gram]
    assert answer.probability == pytest.approx(0.9 * 0.8 * 0.9)


def test_a_spelling_less_probable_than_empty_is_given_up() -> None:
    """The first digit beats empty, the whole value does not; the other question goes on undisturbed."""
    five, zero, gram = symbols("5", "0", "gram")
    sure = [{five: 1.0}, {gram: 1.0}, {VOCABULARY.eos: 1.0}]
    doubtful = [{five: 0.6, VOCABULARY.empty: 0.4}, {zero: 0.5, gram: 0.5}, {VOCABULARY.eos: 1.0}]
    steps = [list(both) for both in zip(doubtful, sure, strict=True)]
    grammar = QuantityGrammar(VOCABULARY, WEIGHT)
    first, second = answers(steps, [grammar, grammar], [[], []])
    assert (first.tokens, first.candidate) == ([], None)
    assert first.probability == pytest.approx(0.4)
    assert second.tokens == [five, gram]


LENGTHS = ["10 centimetre", "3.9 inch", "20 centimetre"]
CROSSING = [Crossing(0, 1, amounts=[0, 0, 2])]


def chosen_together(first: dict[int, float], second: dict[int, float]) -> list[int | None]:
    grammars = [CandidateGrammar(VOCABULARY, 3)] * 2
    both = answers([[first, second]], grammars, [LENGTHS] * 2, crossing=CROSSING)
    return [answer.candidate for answer in both]


def test_lengths_across_each_other_take_two_prints() -> None:
    """Each alone would take the 10 centimetre; the one that is less sure of it takes the other print."""
    sure = {SIZE: 0.8, SIZE + 2: 0.2}
    unsure = {SIZE: 0.55, SIZE + 2: 0.45}
    assert chosen_together(sure, unsure) == [0, 2]
    assert chosen_together(unsure, sure) == [2, 0]


def test_another_unit_is_no_other_print() -> None:
    """3.9 inch is the 10 centimetre once more."""
    sure = {SIZE: 0.8, SIZE + 2: 0.2}
    assert chosen_together(sure, {SIZE + 1: 0.55, SIZE + 2: 0.45}) == [0, 2]


def test_a_square_has_one_length() -> None:
    """Where one print is far likelier for both, both take it."""
    sure = {SIZE: 0.95, SIZE + 2: 0.05}
    assert chosen_together(sure, sure) == [0, 0]


def test_what_crosses_keeps_its_own_confidence() -> None:
    grammars = [CandidateGrammar(VOCABULARY, 3)] * 2
    steps = [[{SIZE: 0.8, SIZE + 2: 0.2}, {SIZE: 0.55, SIZE + 2: 0.45}]]
    both = answers(steps, grammars, [LENGTHS] * 2, crossing=CROSSING)
    assert [answer.probability for answer in both] == pytest.approx([0.8, 0.45])
