"""A linear bag-of-words classifier: labels from the words of a caller's text.

With some hundreds of products a linear model over words is more accurate than the network, and its errors differ; so
the two are members of one ensemble. It is sparse: a word has weights for few labels.
"""

import torch
from torch import Tensor, nn

__all__ = ["NUM_BUCKETS", "NUM_WEIGHTS", "BagOfWordsClassifier"]

NUM_BUCKETS = 1 << 14  # that words and pairs of words are hashed to
NUM_WEIGHTS = 60_000  # largest weights, which are kept


class BagOfWordsClassifier(nn.Module):
    """TF-IDF times a sparse matrix of weights; all zero until it is fitted.

    Attributes:
        idf: (NUM_BUCKETS,), inverse document frequency of a bucket, 0 for those that no text had.
        index: (NUM_WEIGHTS,), bucket * vocab_size + label. weight: (NUM_WEIGHTS,).
    """

    def __init__(self, vocab_size: int):
        super().__init__()
        self._vocab_size = vocab_size
        self.idf: Tensor
        self.register_buffer("idf", torch.zeros(NUM_BUCKETS, dtype=torch.half))
        self.index: Tensor
        self.register_buffer("index", torch.zeros(NUM_WEIGHTS, dtype=torch.int32))
        self.weight: Tensor
        self.register_buffer("weight", torch.zeros(NUM_WEIGHTS, dtype=torch.half))

    def forward(self, buckets: Tensor) -> Tensor:
        """Logits (vocab_size,) of the labels.

        Args:
            buckets: int64 (N,), the buckets of a text's words, each once.
        """
        counts = torch.zeros(NUM_BUCKETS, device=self.index.device)
        counts[buckets] = self.idf[buckets].float()
        counts = counts / counts.norm().clamp(min=1e-6)
        contributions = self.weight.float() * counts[self.index // self._vocab_size]
        logits: Tensor = counts.new_zeros(self._vocab_size).index_add(0, self.index % self._vocab_size, contributions)
        return logits
