"""Transformer encoder over one sequence: a photo's patches and words, then the questions with their candidates.

The *photo stream* (patches and words) is the same whatever is asked. Each question has a *question stream*: its prompt
and the candidates for its answer. A photo token attends to the photo stream, a question's token to the photo stream and
to its own question: an answer never depends on what else is asked.
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from resformer.model.networks.layers import Attention, FeedForward

__all__ = ["PHOTO", "Encoder", "Memory"]

PHOTO = -1  # the `question` of a token of the photo stream


@dataclass
class Memory:
    """The sequences of B samples: patches, N words, Q prompts and M candidates, L tokens in all.

    Attributes:
        states: (B, L, D).
        is_token: bool (B, L), False for padding.
        question: (B, L), the question that a token belongs to, or PHOTO.
        words: the N tokens that are words. prompts: the Q that are prompts. candidates: the M that are candidates.
    """

    states: Tensor
    is_token: Tensor
    question: Tensor
    words: slice
    prompts: slice
    candidates: slice

    def mask(self, questions: Tensor) -> Tensor:
        """Bool (B, R, L): what the tokens of these questions (B, R) may attend to."""
        shared = self.question == PHOTO
        own = self.question[:, None] == questions[:, :, None]
        return (shared[:, None] | own) & self.is_token[:, None]

    def select(self, samples: Tensor) -> "Memory":
        """The sequences of some of the samples, by their indices."""
        return replace(
            self, states=self.states[samples], is_token=self.is_token[samples], question=self.question[samples]
        )


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, expansion)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        normed = self.norm1(x)
        x = x + self.dropout(self.attention(normed, self.attention.key_values(normed), mask))
        out: Tensor = x + self.dropout(self.feed_forward(self.norm2(x)))
        return out


class Encoder(nn.Module):
    """A stack of pre-norm layers and a final norm."""

    def __init__(self, width: int, heads: int, num_layers: int, dropout: float, expansion: int):
        super().__init__()
        self.layers = nn.ModuleList(_Layer(width, heads, dropout, expansion) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, memory: Memory) -> Memory:
        """The memory with encoded states."""
        x, mask = memory.states, memory.mask(memory.question)
        for layer in self.layers:
            x = layer(x, mask)
        return replace(memory, states=self.norm(x))
