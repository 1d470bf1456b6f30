"""Tokens that ask for and answer what a product is: specials, subwords of text, prompts and labels, in this order.

A label is one token, however it is written: a choice among labels, or among the leaves of a tree, is one step of the
decoder. Text is spelled in the subwords of model.inference.tokenizer.
"""

from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.schema.schema import Entity, Schema

__all__ = ["LabelVocabulary"]


class LabelVocabulary:
    """Maps labels, text and prompts to token ids and back.

    Attributes:
        entities: those that have a prompt.
        size: how many tokens there are.
    """

    pad, bos, eos = range(3)
    first_subword = 3

    def __init__(self, schema: Schema, vocabulary: Vocabulary):
        """
        Args:
            vocabulary: whose subwords text is spelled in.
        """
        self.entities = schema.catalogue
        self._vocabulary = vocabulary
        self._shift = self.first_subword - vocabulary.first_subword
        self.first_prompt = vocabulary.first_prompt + self._shift
        self._labels: dict[str, range] = {}
        end = self.first_prompt + len(self.entities)
        for entity in self.entities:
            count = len(entity.labels or entity.paths)
            self._labels[entity.name] = range(end, end + count)
            end += count
        self.size = end

    def prompt(self, entity: Entity) -> int:
        """The prompt token of a catalogue entity."""
        return self.first_prompt + self.entities.index(entity)

    def labels(self, entity: Entity) -> range:
        """The tokens of a choice's labels, or of a path's leaves, in the order of the schema."""
        return self._labels[entity.name]

    @property
    def subwords(self) -> range:
        return range(self.first_subword, self.first_prompt)

    def encode_text(self, text: str) -> list[int]:
        """Text to subword tokens."""
        return [token + self._shift for token in self._vocabulary.encode_text(text)]

    def decode_text(self, tokens: list[int]) -> str:
        """Inverse of encode_text."""
        return self._vocabulary.decode_text([token - self._shift for token in tokens])
