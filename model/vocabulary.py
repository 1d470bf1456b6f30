"""Tokens that ask for and answer quantities: specials, number symbols, units, subwords, and prompts, in this order.

A number is spelled one token per digit or symbol and a unit is one token, so values that were never seen can
be spelled. Text is split by a small byte-level BPE that never merges digits; encoding it is lossless.
"""

from pathlib import Path

from tokenizers import Tokenizer

from model.quantity import Quantity, parse_quantity
from model.schema import Schema
from model.units import UNITS

__all__ = ["SUBWORDS_FILE", "Vocabulary"]

SUBWORDS_FILE = Path(__file__).with_name("subwords.json")
SPECIALS = ("<pad>", "<bos>", "<eos>", "<empty>")
SYMBOLS = tuple("0123456789.[,]")


class Vocabulary:
    """Maps answers, text and prompts to token ids and back."""

    pad, bos, eos, empty = range(4)

    def __init__(self, schema: Schema, subwords: Path = SUBWORDS_FILE):
        """Raises ValueError where the subword file is unusable."""
        try:
            self._subwords = Tokenizer.from_file(str(subwords))
        except Exception as error:  # tokenizers raises bare Exception
            raise ValueError(
                f"cannot read the subwords {subwords}: {error}; `python -m train.build_vocabulary` makes them"
            ) from error
        self.schema = schema
        tokens = [*SPECIALS, *SYMBOLS, *UNITS]
        self._ids = {token: i for i, token in enumerate(tokens)}
        self._tokens = tokens
        # A quantity is spelled without subwords, so what spells one knows the tokens up to here alone.
        self.spelled = self.first_subword = len(tokens)
        self.first_prompt = self.first_subword + self._subwords.get_vocab_size()
        self._prompts = {entity.name: self.first_prompt + i for i, entity in enumerate(schema.quantities)}
        self.size = self.first_prompt + len(self._prompts)

    def prompt(self, entity_name: str) -> int:
        """The prompt token of a quantity. Raises UnknownEntity."""
        return self._prompts[self.schema[entity_name].name]

    def symbol(self, symbol: str) -> int:
        """The token of a digit, a number symbol or a unit's canonical name."""
        return self._ids[symbol]

    def is_unit(self, token: int) -> bool:
        return len(SPECIALS) + len(SYMBOLS) <= token < self.first_subword

    def name(self, token: int) -> str:
        """The symbol, unit or special that a token below `first_subword` stands for."""
        return self._tokens[token]

    def encode_quantity(self, quantity: Quantity) -> list[int]:
        """`500 gram` to the tokens 5 0 0 gram; `[100, 240] volt` to [ 1 0 0 , 2 4 0 ] volt."""
        number, unit = str(quantity).rsplit(quantity.unit, 1)[0], quantity.unit
        return [self._ids[symbol] for symbol in number if symbol != " "] + [self._ids[unit]]

    def decode_quantity(self, tokens: list[int], units: tuple[str, ...]) -> Quantity:
        """Inverse of encode_quantity. Raises ValueError for tokens that spell no quantity in these units."""
        spelled = "".join(f" {t}" if self.is_unit(i) else t for i in tokens for t in [self.name(i)])
        quantity = parse_quantity(spelled.replace(",", ", "), units)
        if quantity is None:
            raise ValueError(f"the tokens spell {spelled!r}, no quantity in {', '.join(units)}")
        return quantity

    def encode_text(self, text: str) -> list[int]:
        """Text to subword tokens; digits stay single."""
        return [self.first_subword + i for i in self._subwords.encode(text).ids]

    def decode_text(self, tokens: list[int]) -> str:
        """Inverse of encode_text."""
        return self._subwords.decode([t - self.first_subword for t in tokens])
