"""Tokens of words, numbers, units and the prompts of quantities.

The vocabulary is, in this order: padding, number symbols, units, subwords, prompts. A number is one token per digit or
symbol, a unit is one token. Text is split by a small byte-level BPE that never merges digits; encoding is lossless.
"""

from pathlib import Path

from tokenizers import Tokenizer as SubwordTokenizer

from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Schema

__all__ = ["SUBWORDS_FILE", "Tokenizer"]

SUBWORDS_FILE = Path(__file__).with_name("subwords.json")
PADDING = "<pad>"
NUMBER_SYMBOLS = tuple("0123456789.[,]")


class Tokenizer:
    """Maps text, quantities and the prompts of quantities to token ids.

    Attributes:
        vocab_size: number of tokens.
    """

    pad_id = 0

    def __init__(self, schema: Schema, subwords: Path = SUBWORDS_FILE):
        """Raises ValueError: the subword file is unusable."""
        try:
            self._subwords = SubwordTokenizer.from_file(str(subwords))
        except Exception as error:  # the library raises no narrower class
            raise ValueError(
                f"cannot read the subwords {subwords}: {error}; `resformer data tokenizer` makes them"
            ) from error
        self.schema = schema
        units = [unit.name for unit in schema.units]
        self._ids = {token: i for i, token in enumerate((PADDING, *NUMBER_SYMBOLS, *units))}
        self.first_subword = len(self._ids)
        self.first_prompt = self.first_subword + self._subwords.get_vocab_size()
        self._prompts = {entity.name: self.first_prompt + i for i, entity in enumerate(schema.quantities)}
        self.vocab_size = self.first_prompt + len(self._prompts)

    def prompt(self, entity_name: str) -> int:
        """The prompt token of a quantity. Raises UnknownEntity."""
        return self._prompts[self.schema[entity_name].name]

    def unit(self, unit: str) -> int:
        """The token of a unit's canonical name."""
        return self._ids[unit]

    def encode_number(self, quantity: Quantity) -> list[int]:
        """The tokens of a quantity's number: `12.5 gram` to 1 2 . 5, `[100, 240] volt` to [ 1 0 0 , 2 4 0 ]."""
        number = str(quantity).rsplit(quantity.unit, 1)[0]
        return [self._ids[symbol] for symbol in number if symbol != " "]

    def encode(self, text: str) -> list[int]:
        """Text to subword tokens; digits stay single."""
        return [self.first_subword + i for i in self._subwords.encode(text).ids]

    def decode(self, tokens: list[int]) -> str:
        """Inverse of encode."""
        return self._subwords.decode([t - self.first_subword for t in tokens])
