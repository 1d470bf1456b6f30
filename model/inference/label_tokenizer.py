"""Tokens of text, of labels and of the prompts of attributes.

The vocabulary is, in this order: padding, BOS, EOS, the subwords of Tokenizer, prompts, labels. A label is one token,
however it is written: a choice among labels, or among the leaves of a taxonomy, is one step of the decoder.
"""

import re
import zlib
from itertools import pairwise

import numpy as np

from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.bag_of_words import NUM_BUCKETS
from resformer.model.schema.schema import Entity, Schema

__all__ = ["LabelTokenizer", "hash_words"]


class LabelTokenizer:
    """Maps labels, text and the prompts of attributes to token ids and back.

    Args:
        schema: with the attributes and their labels.
        tokenizer: whose subwords text is encoded in.

    Attributes:
        entities: the attributes that have a prompt.
        vocab_size: number of tokens.
        max_tokens: subwords of the longest text.
    """

    pad_id, bos_id, eos_id = range(3)
    first_subword = 3

    def __init__(self, schema: Schema, tokenizer: Tokenizer):
        self.entities = schema.attributes
        self._tokenizer = tokenizer
        self._shift = self.first_subword - tokenizer.first_subword
        self.first_prompt = tokenizer.first_prompt + self._shift
        self.max_tokens = max((entity.max_subwords for entity in self.entities), default=0)
        self._labels: dict[str, range] = {}
        end = self.first_prompt + len(self.entities)
        for entity in self.entities:
            count = len(entity.labels or entity.paths)
            self._labels[entity.name] = range(end, end + count)
            end += count
        self.vocab_size = end

    def prompt(self, entity: Entity) -> int:
        """The prompt token of an attribute."""
        return self.first_prompt + self.entities.index(entity)

    def labels(self, entity: Entity) -> range:
        """The tokens of a choice's labels, or of a path's leaves, in the order of the schema."""
        return self._labels[entity.name]

    @property
    def subwords(self) -> range:
        """The tokens of text."""
        return range(self.first_subword, self.first_prompt)

    def encode(self, text: str) -> list[int]:
        """Text to subword tokens."""
        return [token + self._shift for token in self._tokenizer.encode(text)]

    def decode(self, tokens: list[int]) -> str:
        """Inverse of encode."""
        return self._tokenizer.decode([token - self._shift for token in tokens])


def hash_words(title: str, description: str) -> np.ndarray:
    """The buckets of BagOfWordsClassifier, int64, each once: of all words, and of the title's pairs of words."""
    in_title, in_description = (re.findall(r"\w+", text.lower()) for text in (title, description))
    pairs = [f"{a} {b}" for a, b in pairwise(in_title)]
    words = (*in_title, *in_description, *pairs)
    return np.unique([zlib.crc32(word.encode()) % NUM_BUCKETS for word in words]).astype(np.int64)
