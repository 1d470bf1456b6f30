"""Transformer decoders: one points to its answer in a single step, one writes its answer token by token."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.encoder import Memory
from resformer.model.networks.layers import Attention, FeedForward, KeyValue

__all__ = ["EMPTY", "FIRST_CANDIDATE", "UNREAD", "CausalDecoder", "KVCache", "PointerDecoder"]

# Classes of a pointer decoder: nothing is shown; what is shown was not read; from FIRST_CANDIDATE on, the candidates.
EMPTY, UNREAD, FIRST_CANDIDATE = range(3)


@dataclass
class KVCache:
    """Keys and values of every layer: `cross` of the memory, computed once, and `past` of the tokens so far.

    Attributes:
        length: how many tokens `past` has.
    """

    cross: list[KeyValue]
    past: list[KeyValue | None] = field(default_factory=list)
    length: int = 0


class _Layer(nn.Module):
    """The part of a decoder layer after its self-attention."""

    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.cross_attention = Attention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout, expansion)
        self.dropout = nn.Dropout(dropout)

    def _cross_attend(self, x: Tensor, cross: KeyValue, mask: Tensor) -> Tensor:
        x = x + self.dropout(self.cross_attention(self.norm2(x), cross, mask))
        out: Tensor = x + self.dropout(self.feed_forward(self.norm3(x)))
        return out


class _PointerLayer(_Layer):
    """A single token's attention to itself is a linear map, whatever its query and key are."""

    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__(width, heads, dropout, expansion)
        self.self_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, cross: KeyValue, mask: Tensor) -> Tensor:
        return self._cross_attend(x + self.dropout(self.self_proj(self.norm1(x))), cross, mask)


class _CausalLayer(_Layer):
    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__(width, heads, dropout, expansion)
        self.self_attention = Attention(width, heads)

    def forward(self, x: Tensor, cross: KeyValue, mask: Tensor, past: KeyValue | None) -> tuple[Tensor, KeyValue]:
        normed = self.norm1(x)
        kv = self.self_attention.key_values(normed)
        if past is not None:
            kv = (torch.cat([past[0], kv[0]], dim=2), torch.cat([past[1], kv[1]], dim=2))
        # With a past, x is the newest token alone, which may attend to all of it.
        x = x + self.dropout(self.self_attention(normed, kv, causal=past is None))
        return self._cross_attend(x, cross, mask), kv


class _Decoder(nn.Module):
    def __init__(self, layers: Iterable[_Layer]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def cross_key_values(self, memory: Memory) -> list[KeyValue]:
        """Every layer's keys and values of the memory."""
        cross = []
        for layer in self.layers:
            attention = cast(_Layer, layer).cross_attention
            photo, question = attention.key_values(memory.photo), attention.key_values(memory.question)
            cross.append(
                (
                    torch.cat([photo[0][memory.sample_index], question[0]], dim=2),
                    torch.cat([photo[1][memory.sample_index], question[1]], dim=2),
                )
            )
        return cross


class PointerDecoder(_Decoder):
    """Points to one of a question's C candidates, to EMPTY (nothing is shown) or to UNREAD (it was not read).

    A pointer network (arXiv 1506.03134): pointing to a candidate copies it exactly, so the grammar of the answers is
    the set of candidates and the empty answer, and one step is a whole answer.
    """

    def __init__(self, width: int, heads: int, num_layers: int, dropout: float):
        super().__init__(_PointerLayer(width, heads, dropout, expansion=4) for _ in range(num_layers))
        self.bos = nn.Parameter(0.02 * torch.randn(width))
        self.norm = nn.LayerNorm(width)
        self.no_candidate_head = nn.Linear(width, FIRST_CANDIDATE)
        self.pointer_query = nn.Linear(width, width, bias=False)
        self.pointer_key = nn.Linear(width, width, bias=False)
        self.candidate_bias = nn.Linear(width, 1)

    def forward(self, memory: Memory) -> Tensor:
        """Logits (Q, FIRST_CANDIDATE + C); -inf for candidates that are padding."""
        x = self.bos + memory.question[:, :1]
        for layer, cross in zip(self.layers, self.cross_key_values(memory), strict=True):
            x = layer(x, cross, memory.mask)
        x = self.norm(x)
        candidates = memory.question[:, 1:]
        pointer = self.pointer_query(x) @ self.pointer_key(candidates).transpose(1, 2) * x.shape[-1] ** -0.5
        pointer = (pointer + self.candidate_bias(candidates).transpose(1, 2))[:, 0]
        pointer = pointer.masked_fill(~memory.question_mask[:, 1:], float("-inf"))
        return torch.cat([self.no_candidate_head(x)[:, 0], pointer], dim=-1)


class CausalDecoder(_Decoder):
    """Next-token logits over a vocabulary of V tokens, with input and output embedding tied (arXiv 1608.05859)."""

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
        super().__init__(_CausalLayer(width, heads, dropout, expansion) for _ in range(num_layers))
        self.heads = heads
        self.embedding = nn.Embedding(vocab_size, width)
        self.position = nn.Embedding(max_tokens + 1, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        nn.init.normal_(self.position.weight, std=0.02)

    def init_cache(self, memory: Memory) -> KVCache:
        """Projects the memory to every layer's cross keys and values, once for all steps."""
        return KVCache(self.cross_key_values(memory), [None] * len(self.layers))

    def embed(self, tokens: Tensor) -> Tensor:
        """Input embeddings of tokens, (...) to (..., D).

        Scaled by the root of the width (arXiv 1706.03762): tied to the output they are short, and what is added to them
        is not.
        """
        embedded: Tensor = self.embedding(tokens) * self.embedding.embedding_dim**0.5
        return embedded

    def hidden(self, tokens: Tensor, memory: Memory, cache: KVCache) -> Tensor:
        """States (Q, T, D) after each token. Advances the cache.

        Args:
            tokens: (Q, T). The whole answer so far with a fresh cache, one new token with a used one.

        Raises:
            ValueError: several tokens with a used cache.
        """
        if cache.length and tokens.shape[1] != 1:
            raise ValueError(f"a used cache takes one token a step, not {tokens.shape[1]}")
        positions = torch.arange(cache.length, cache.length + tokens.shape[1], device=tokens.device)
        x = self.step(tokens, positions, memory.question[:, :1], memory.mask, cache)
        cache.length += tokens.shape[1]
        return x

    def step(self, tokens: Tensor, positions: Tensor, prompt: Tensor, mask: Tensor, cache: KVCache) -> Tensor:
        """States (Q, T, D) after each token; `hidden` without a Memory, for export.

        Args:
            positions: (T,) of the tokens in the answer. prompt: (Q, 1, D), first of the question's stream.
            mask: see Memory.
        """
        # Added to every query, the prompt conditions the decoder on the question without attention.
        x = self.embed(tokens) + self.position(positions) + prompt
        for i, layer in enumerate(self.layers):
            x, cache.past[i] = layer(x, cache.cross[i], mask, cache.past[i])
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, tokens: Tensor, memory: Memory, cache: KVCache) -> Tensor:
        """Logits (Q, T, V) of the token after each token, see `hidden`."""
        return self.logits(self.hidden(tokens, memory, cache))

    def logits(self, states: Tensor) -> Tensor:
        """States (..., D) to logits (..., V)."""
        return F.linear(states, self.embedding.weight, self.bias)
