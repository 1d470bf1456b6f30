"""Automata that say which token may come next, so that an answer that is not valid cannot be decoded.

Token ids from Vocabulary.spelled on point to candidates: `spelled + c` answers with candidate c.
"""

from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from model.schema import Entity
from model.vocabulary import Vocabulary

__all__ = ["CandidateGrammar", "Grammar", "QuantityGrammar", "Trie"]

INTEGER_DIGITS = 7
DECIMALS = 4


class Grammar(Protocol):
    """A deterministic automaton over tokens. A state without a next token is final."""

    start: Any

    def allowed(self, state: Any) -> Iterable[int]:
        """Tokens that may follow in this state; every one of them leads to a final state in the end."""

    def step(self, state: Any, token: int) -> Any:
        """The state after an allowed token."""


class Trie:
    """The language of a closed list of token sequences."""

    def __init__(self, sequences: Iterable[Sequence[int]], end: int):
        """`end` closes every sequence, so that one may be the beginning of another."""
        self.start: dict[int, Any] = {}
        for sequence in sequences:
            node = self.start
            for token in [*sequence, end]:
                node = node.setdefault(token, {})

    def allowed(self, state: dict[int, Any]) -> Iterable[int]:
        return state.keys()

    def step(self, state: dict[int, Any], token: int) -> dict[int, Any]:
        return state[token]


def CandidateGrammar(vocabulary: Vocabulary, candidates: int) -> Trie:
    """The empty answer, or one of the quantities parsed from the words.

    A pointer names a whole quantity, so the trie of the candidates' strings is one step deep.
    """
    pointers = [[vocabulary.spelled + c] for c in range(candidates)]
    return Trie([[vocabulary.empty], *pointers], vocabulary.eos)


class QuantityGrammar:
    """The free grammar of a quantity entity: empty, a number and a unit, or a range and a unit.

    Numbers are canonical: no leading zeros, no trailing zeros after the point, above zero. A range rises.
    A state is the text so far: (low bound or None, inside a range, digits of the present number), or
    "unit", "end", "final".
    """

    start: Hashable = (None, False, "")

    def __init__(self, vocabulary: Vocabulary, entity: Entity):
        self._vocabulary = vocabulary
        self._units = [vocabulary.symbol(unit) for unit in entity.units]
        self._ranges = entity.ranges

    def allowed(self, state: Any) -> list[int]:
        v = self._vocabulary
        if state == "final":
            return []
        if state == "end":
            return [v.eos]
        if state == "unit":
            return self._units
        low, ranged, number = state
        allowed = [v.symbol(c) for c in "0123456789." if self._reaches(low, ranged, number + c)]
        if state == self.start:
            allowed += [v.empty, *([v.symbol("[")] if self._ranges else [])]
        if _is_canonical(number):
            if not ranged:
                allowed += self._units
            elif low is None:
                allowed.append(v.symbol(","))
            elif Decimal(number) > low:
                allowed.append(v.symbol("]"))
        return allowed

    def step(self, state: Any, token: int) -> Any:
        v = self._vocabulary
        if token == v.eos:
            return "final"
        if token == v.empty or v.is_unit(token):
            return "end"
        symbol = v.name(token)
        low, ranged, number = state
        if symbol == "[":
            return (None, True, "")
        if symbol == ",":
            return (Decimal(number), True, "")
        if symbol == "]":
            return "unit"
        return (low, ranged, number + symbol)

    @staticmethod
    def _reaches(low: Decimal | None, ranged: bool, prefix: str) -> bool:
        """Whether some canonical number above `low` begins with this prefix."""
        integer, point, decimals = prefix.partition(".")
        # A low bound has a digit less, so that a higher number is always left.
        limit = INTEGER_DIGITS - 1 if ranged and low is None else INTEGER_DIGITS
        if not integer or len(integer) > limit or (integer[0] == "0" and len(integer) > 1) or "." in decimals:
            return False
        if not point and integer != "0":
            integer = integer.ljust(limit, "9")
        largest = f"{integer}.{decimals.ljust(DECIMALS, '9')}"
        return len(decimals) <= DECIMALS and Decimal(largest) > (low or 0) and largest[-1] != "0"


def _is_canonical(number: str) -> bool:
    if not number or number.endswith(".") or ("." in number and number.endswith("0")):
        return False
    return Decimal(number) > 0
