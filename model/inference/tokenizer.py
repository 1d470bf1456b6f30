"""The vocabulary: prompts of entities, answers that are one token, numbers, units and subwords.

In this order: padding, BOS, EOS, UNREAD, number symbols, units, prompts, answers, subwords. A label is one token,
however it is written, and so is the empty answer of an entity; a number is one token per digit or symbol, a unit is one
token. Text is split by a byte-level BPE that never merges digits; encoding is lossless.
"""

from pathlib import Path

from tokenizers import Tokenizer as SubwordTokenizer

from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = ["SUBWORDS_FILE", "Tokenizer"]

SUBWORDS_FILE = Path(__file__).with_name("subwords.json")
NUMBER_SYMBOLS = tuple("0123456789.[,]")


class Tokenizer:
    """Maps text, quantities, labels and prompts to token ids.

    Attributes:
        entities: those that have a prompt.
        num_answers: the first so many tokens are no subwords.
        vocab_size: number of tokens.
        max_tokens: steps of the longest text.
    """

    pad_id, bos_id, eos_id, unread_id = range(4)

    def __init__(self, schema: Schema, subwords: Path = SUBWORDS_FILE):
        """Raises ValueError: the subword file is unusable."""
        try:
            self._subwords = SubwordTokenizer.from_file(str(subwords))
        except Exception as error:  # the library raises no narrower class
            raise ValueError(
                f"cannot read the subwords {subwords}: {error}; `resformer data vocabulary` makes them"
            ) from error
        self.schema = schema
        self.entities = tuple(entity for entity in schema.entities if not entity.labels_from)
        self.max_tokens = max((entity.max_subwords for entity in self.entities), default=0)
        names = (*NUMBER_SYMBOLS, *(unit.name for unit in schema.units))
        self._ids = {name: i for i, name in enumerate(names, self.unread_id + 1)}
        end = self.unread_id + 1 + len(names)
        self._prompts = {entity: end + i for i, entity in enumerate(self.entities)}
        end += len(self.entities)
        self._answers: dict[Entity, range] = {}
        for entity in self.entities:
            self._answers[entity] = range(end, end + 1 + len(entity.labels or entity.paths))
            end = self._answers[entity].stop
        self.num_answers = end
        self.vocab_size = end + self._subwords.get_vocab_size()

    def prompt(self, entity: Entity) -> int:
        """The prompt token of an entity."""
        return self._prompts[entity]

    def answers(self, entity: Entity) -> range:
        """The tokens that answer in one step: the empty answer, then the labels of a choice or the leaves of a path."""
        return self._answers[entity]

    def empty(self, entity: Entity) -> int:
        """The token of the empty answer."""
        return self._answers[entity].start

    @property
    def subwords(self) -> range:
        """The tokens of text."""
        return range(self.num_answers, self.vocab_size)

    def unit(self, unit: str) -> int:
        """The token of a unit's canonical name."""
        return self._ids[unit]

    def encode_number(self, quantity: Quantity) -> list[int]:
        """The tokens of a quantity's number: `12.5 gram` to 1 2 . 5, `[100, 240] volt` to [ 1 0 0 , 2 4 0 ]."""
        number = str(quantity).rsplit(quantity.unit, 1)[0]
        return [self._ids[symbol] for symbol in number if symbol != " "]

    def encode(self, text: str) -> list[int]:
        """Text to subword tokens; digits stay single."""
        return [self.num_answers + i for i in self._subwords.encode(text).ids]

    def decode(self, tokens: list[int]) -> str:
        """Inverse of encode."""
        return self._subwords.decode([t - self.num_answers for t in tokens])
