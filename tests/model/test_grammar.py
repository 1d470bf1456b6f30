"""Whatever a grammar lets through is valid, and everything valid gets through."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.grammar import CandidateGrammar, Grammar, QuantityGrammar, Trie
from model.quantity import Quantity, parse_quantity
from model.schema import Schema
from model.vocabulary import Vocabulary

SCHEMA = Schema.load()
VOCABULARY = Vocabulary(SCHEMA)
ENTITIES = list(SCHEMA.quantities)


def accepts(grammar: Grammar, tokens: Iterable[int]) -> bool:
    state = grammar.start
    for token in tokens:
        if token not in grammar.allowed(state):
            return False
        state = grammar.step(state, token)
    return not list(grammar.allowed(state))


@given(st.data())
def test_every_walk_ends_in_a_valid_answer(data: st.DataObject) -> None:
    entity = data.draw(st.sampled_from(ENTITIES))
    grammar = QuantityGrammar(VOCABULARY, entity)
    state, tokens = grammar.start, []
    while allowed := sorted(grammar.allowed(state)):
        tokens.append(data.draw(st.sampled_from(allowed)))
        state = grammar.step(state, tokens[-1])
        assert len(tokens) < 40
    assert tokens.pop() == VOCABULARY.eos
    if tokens != [VOCABULARY.empty]:
        quantity = VOCABULARY.decode_quantity(tokens, entity.units)
        assert VOCABULARY.encode_quantity(quantity) == tokens
        assert quantity.unit in entity.units
        assert entity.ranges or len(quantity.values) == 1
        assert parse_quantity(str(quantity), entity.units) == quantity


NUMBERS = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("999999"), places=4)


@given(st.sampled_from(ENTITIES), NUMBERS, NUMBERS, st.randoms())
def test_every_canonical_quantity_is_in_the_language(entity, a, b, random) -> None:
    unit = random.choice(entity.units)
    values = (min(a, b), max(a, b)) if entity.ranges and a != b and random.random() < 0.5 else (a,)
    tokens = VOCABULARY.encode_quantity(Quantity(tuple(v.normalize() for v in values), unit))
    assert accepts(QuantityGrammar(VOCABULARY, entity), [*tokens, VOCABULARY.eos])


@pytest.mark.parametrize("text", ["007gram", "0gram", "1.50gram", "5.gram", ".5gram", "1..5gram", "gram", "5"])
def test_what_is_not_canonical_is_refused(text: str) -> None:
    weight = SCHEMA["item_weight"]
    number = text.removesuffix("gram")
    tokens = [VOCABULARY.symbol(c) for c in number] + [VOCABULARY.symbol("gram")] * text.endswith("gram")
    assert not accepts(QuantityGrammar(VOCABULARY, weight), [*tokens, VOCABULARY.eos])


def test_units_and_ranges_are_the_entity_s_own() -> None:
    width, voltage = QuantityGrammar(VOCABULARY, SCHEMA["width"]), QuantityGrammar(VOCABULARY, SCHEMA["voltage"])
    assert not accepts(width, [VOCABULARY.symbol("5"), VOCABULARY.symbol("gram"), VOCABULARY.eos])
    falling = [VOCABULARY.symbol(s) for s in ("[", "9", ",", "5", "]", "volt")] + [VOCABULARY.eos]
    rising = [VOCABULARY.symbol(s) for s in ("[", "5", ",", "9", "]", "volt")] + [VOCABULARY.eos]
    assert accepts(voltage, rising)
    assert not accepts(voltage, falling)
    assert not accepts(width, rising)


def test_candidate_grammar_is_the_candidates_and_empty() -> None:
    grammar = CandidateGrammar(VOCABULARY, 2)
    first = VOCABULARY.spelled
    assert accepts(grammar, [VOCABULARY.empty, VOCABULARY.eos])
    assert accepts(grammar, [first + 1, VOCABULARY.eos])
    assert not accepts(grammar, [first + 2, VOCABULARY.eos])
    assert not accepts(grammar, [VOCABULARY.symbol("5"), VOCABULARY.symbol("gram"), VOCABULARY.eos])


def test_trie_keeps_a_sequence_that_begins_another() -> None:
    trie = Trie([[5, 6], [5, 6, 7]], end=2)
    assert accepts(trie, [5, 6, 2])
    assert accepts(trie, [5, 6, 7, 2])
    assert not accepts(trie, [5, 2])
