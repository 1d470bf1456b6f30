"""What the words of a caller's text say by themselves: votes of words and of pairs of words for labels.

Some hundreds of products teach a linear model over words better than a network that has to find out what words are,
and it errs elsewhere; so both are asked. It is sparse: a word votes for a few labels.
"""

import re
import zlib
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["BUCKETS", "ENTRIES", "Lexicon", "word_buckets"]

BUCKETS = 1 << 14  # that words and pairs of words are hashed to
ENTRIES = 60_000  # votes that are kept


class Lexicon(nn.Module):
    """Votes of the words of a text for labels; none as long as nothing filled it.

    Attributes:
        rarity: (BUCKETS,), how much the words of a bucket count, 0 for those that no text had.
        place: (ENTRIES,) bucket times the vocabulary's size, plus label. vote: (ENTRIES,).
    """

    def __init__(self, vocabulary: int):
        super().__init__()
        self._vocabulary = vocabulary
        self.rarity: Tensor
        self.register_buffer("rarity", torch.zeros(BUCKETS, dtype=torch.half))
        self.place: Tensor
        self.register_buffer("place", torch.zeros(ENTRIES, dtype=torch.int32))
        self.vote: Tensor
        self.register_buffer("vote", torch.zeros(ENTRIES, dtype=torch.half))

    def forward(self, title: str, description: str) -> Tensor:
        """Logits (vocabulary,) of labels against the other labels of their entity."""
        buckets = torch.from_numpy(word_buckets(title, description)).to(self.place.device)
        counts = torch.zeros(BUCKETS, device=self.place.device)
        counts[buckets] = self.rarity[buckets].float()
        counts = counts / counts.norm().clamp(min=1e-6)
        votes = self.vote.float() * counts[self.place // self._vocabulary]
        return counts.new_zeros(self._vocabulary).index_add(0, self.place % self._vocabulary, votes)


def word_buckets(title: str, description: str) -> np.ndarray:
    """The buckets, each once, of all words and of the title's pairs of words."""
    named, told = (re.findall(r"\w+", text.lower()) for text in (title, description))
    pairs = [f"{a} {b}" for a, b in pairwise(named)]
    return np.unique([zlib.crc32(word.encode()) % BUCKETS for word in (*named, *told, *pairs)]).astype(np.int64)
