"""Transformer decoder that answers by tokens of a vocabulary and by pointers to tokens of the encoder.

A label or a quantity is one step: a token, or a pointer to a candidate, which copies it exactly (pointer networks,
arXiv 1506.03134). A text is a sequence of steps: subwords, and pointers to words that were read or sent (arXiv
1704.04368), each of which copies a whole word.
"""

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.encoder import Memory
from resformer.model.networks.layers import Attention, FeedForward, KeyValue

__all__ = ["Decoder", "KVCache"]


@dataclass
class KVCache:
    """Keys and values of every layer: `cross` of the memory, computed once, and `past` of the tokens so far."""

    cross: list[KeyValue]
    past: list[KeyValue | None] = field(default_factory=list)


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.self_attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.cross_attention = Attention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, expansion)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, cross: KeyValue, mask: Tensor, past: KeyValue | None) -> tuple[Tensor, KeyValue]:
        batch, answers = x.shape[:2]
        # Steps attend to those before them in the same answer.
        normed = self.norm1(x).flatten(0, 1)
        kv = self.self_attention.key_values(normed)
        if past is not None:
            kv = (torch.cat([past[0], kv[0]], dim=2), torch.cat([past[1], kv[1]], dim=2))
        attended = self.self_attention(normed, kv, causal=past is None)
        x = x + self.dropout(torch.unflatten(attended, 0, (batch, answers)))
        # All answers about a photo are queries of one sequence, so that its keys and values need no copies.
        queries = self.norm2(x)
        steps = queries.shape[2]
        attended = self.cross_attention(queries.flatten(1, 2), cross, mask.repeat_interleave(steps, dim=1))
        x = x + self.dropout(torch.unflatten(attended, 1, (answers, steps)))
        out: Tensor = x + self.dropout(self.feed_forward(self.norm3(x)))
        return out, kv


class Decoder(nn.Module):
    """B samples have R answers of T steps each.

    The vocabulary's input and output embeddings are one (arXiv 1608.05859).

    Args:
        vocab_size: V. max_tokens: of the longest answer.
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        width: int,
        heads: int,
        num_layers: int,
        max_tokens: int,
        dropout: float,
        expansion: int,
    ):
        super().__init__()
        self.heads = heads
        self.layers = nn.ModuleList(_Layer(width, heads, dropout, expansion) for _ in range(num_layers))
        self.position = nn.Embedding(max_tokens, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.pointer_query = nn.Linear(width, width, bias=False)
        self.pointer_key = nn.Linear(width, width, bias=False)
        self.pointer_bias = nn.Linear(width, 1)
        nn.init.normal_(self.position.weight, std=0.02)

    def init_cache(self, memory: Memory) -> KVCache:
        """Projects the memory to every layer's cross keys and values, once for all steps."""
        cross = [cast(_Layer, layer).cross_attention.key_values(memory.states) for layer in self.layers]
        return KVCache(cross, [None] * len(self.layers))

    def forward(self, inputs: Tensor, prompts: Tensor, positions: Tensor, mask: Tensor, cache: KVCache) -> Tensor:
        """States (B, R, T, D) after each step. Advances the cache.

        Args:
            inputs: (B, R, T, D), embeddings of what was answered so far: all of it with a fresh cache, the newest step
                alone with a used one.
            prompts: (B, R, D), the encoded prompts of the questions; added to every step, they condition the decoder
                on the question without attention.
            positions: (T,) of the steps in the answer.
            mask: bool (B, R, L), what each answer may attend to in the memory.
        """
        x = inputs + self.position(positions) + prompts[:, :, None]
        for i, layer in enumerate(self.layers):
            x, cache.past[i] = layer(x, cache.cross[i], mask, cache.past[i])
        normed: Tensor = self.norm(x)
        return normed

    def token_logits(self, states: Tensor, embedding: Tensor) -> Tensor:
        """States (..., D) to logits (..., n) of the first n tokens, whose embeddings (n, D) are given."""
        return F.linear(states, embedding, self.bias[: len(embedding)])

    def pointer_logits(self, states: Tensor, memory_states: Tensor) -> Tensor:
        """States (B, R, T, D) to logits (B, R, T, L) of pointers to the tokens (B, L, D) of the memory."""
        query = self.pointer_query(states).flatten(1, 2)
        key, bias = self.pointer_key(memory_states), self.pointer_bias(memory_states)
        scores = query @ key.transpose(1, 2) * query.shape[-1] ** -0.5 + bias.transpose(1, 2)
        return torch.unflatten(scores, 1, states.shape[1:3])
