"""Transformer encoder over two streams of tokens.

The *photo* stream (patches and words) is the same whatever is asked. Each question has a *question* stream: its entity
prompt and the candidates for its answer. Photo tokens attend to the photo stream, question tokens to the photo stream
and their own question: a photo is encoded once however many entities are asked, and an answer does not depend on what
else is asked. Both streams share all weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from resformer.model.networks.layers import Attention, FeedForward

__all__ = ["Encoder", "Memory"]


@dataclass
class Memory:
    """The two streams of a batch of B samples (a photo with its words) and Q questions about them.

    Attributes:
        photo: (B, N, D). photo_mask: bool (B, N), True where there is a token.
        question: (Q, 1 + C, D), the prompt, then the candidates. question_mask: bool (Q, 1 + C).
        sample_index: (Q,), the sample that each question is about.
    """

    photo: Tensor
    photo_mask: Tensor
    question: Tensor
    question_mask: Tensor
    sample_index: Tensor

    def select(self, questions: Tensor) -> "Memory":
        """The memory of some of the questions, by their indices."""
        return Memory(
            self.photo,
            self.photo_mask,
            self.question[questions],
            self.question_mask[questions],
            self.sample_index[questions],
        )

    @property
    def mask(self) -> Tensor:
        """Bool (Q, N + 1 + C): the tokens that each question may attend to."""
        return torch.cat([self.photo_mask[self.sample_index], self.question_mask], dim=1)


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout, expansion)
        self.dropout = nn.Dropout(dropout)

    def forward(self, memory: Memory) -> Memory:
        photo, question = self.norm1(memory.photo), self.norm1(memory.question)
        photo_kv = self.attention.key_values(photo)
        question_kv = [
            torch.cat([p[memory.sample_index], q], dim=2)
            for p, q in zip(photo_kv, self.attention.key_values(question), strict=True)
        ]
        attended_photo = self.attention(photo, photo_kv, memory.photo_mask)
        attended_question = self.attention(question, (question_kv[0], question_kv[1]), memory.mask)
        return Memory(
            self._residual(memory.photo, attended_photo),
            memory.photo_mask,
            self._residual(memory.question, attended_question),
            memory.question_mask,
            memory.sample_index,
        )

    def _residual(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.dropout(attended)
        out: Tensor = x + self.dropout(self.feed_forward(self.norm2(x)))
        return out


class Encoder(nn.Module):
    """A stack of pre-norm layers and a final norm."""

    def __init__(self, width: int, heads: int, num_layers: int, dropout: float, expansion: int = 4):
        super().__init__()
        self.layers = nn.ModuleList(_Layer(width, heads, dropout, expansion) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, memory: Memory) -> Memory:
        """The memory with encoded streams."""
        for layer in self.layers:
            memory = layer(memory)
        return Memory(
            self.norm(memory.photo),
            memory.photo_mask,
            self.norm(memory.question),
            memory.question_mask,
            memory.sample_index,
        )
