"""Transformer decoders: one that points to an answer at once, one that says its answer token by token."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.encoder import Memory
from resformer.model.networks.layers import Attention, FeedForward, KeyValue

__all__ = ["EMPTY", "READ", "UNREAD", "Cache", "PointerDecoder", "TiedDecoder"]

# What a pointer decoder can find: nothing is shown, what is shown was not read, or one of the candidates from READ on.
EMPTY, UNREAD, READ = range(3)


@dataclass
class Cache:
    """Keys and values of one decoding: `cross` is computed once, `own` grows by a token a step."""

    cross: list[KeyValue]
    own: list[KeyValue | None] = field(default_factory=list)
    length: int = 0


class _Layer(nn.Module):
    """What a query does after it looked at itself: it looks at the memory, and thinks."""

    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.cross_attention = Attention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout, expansion)
        self.dropout = nn.Dropout(dropout)

    def _look(self, x: Tensor, cross: KeyValue, mask: Tensor) -> Tensor:
        x = x + self.dropout(self.cross_attention(self.norm2(x), cross, mask))
        return x + self.dropout(self.feed_forward(self.norm3(x)))


class _PointingLayer(_Layer):
    """Attention of a lone token to itself is a linear map, whatever its query and key are."""

    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__(width, heads, dropout, expansion)
        self.itself = nn.Linear(width, width)

    def forward(self, x: Tensor, cross: KeyValue, mask: Tensor) -> Tensor:
        return self._look(x + self.dropout(self.itself(self.norm1(x))), cross, mask)


class _SayingLayer(_Layer):
    def __init__(self, width: int, heads: int, dropout: float, expansion: int):
        super().__init__(width, heads, dropout, expansion)
        self.self_attention = Attention(width, heads)

    def forward(self, x: Tensor, cross: KeyValue, mask: Tensor, past: KeyValue | None) -> tuple[Tensor, KeyValue]:
        normed = self.norm1(x)
        own = self.self_attention.keys(normed)
        if past is not None:
            own = (torch.cat([past[0], own[0]], dim=2), torch.cat([past[1], own[1]], dim=2))
        # With a past, x is the one newest token, which may see all of it.
        x = x + self.dropout(self.self_attention(normed, own, causal=past is None))
        return self._look(x, cross, mask), own


class _Decoder(nn.Module):
    """Looks at the memory with its layers."""

    def __init__(self, layers: Iterable[_Layer]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def cross(self, memory: Memory) -> list[KeyValue]:
        """The memory as every layer's keys and values."""
        cross = []
        for layer in self.layers:
            attention = cast(_Layer, layer).cross_attention
            photo, question = attention.keys(memory.photo), attention.keys(memory.question)
            cross.append(
                (
                    torch.cat([photo[0][memory.owner], question[0]], dim=2),
                    torch.cat([photo[1][memory.owner], question[1]], dim=2),
                )
            )
        return cross


class PointerDecoder(_Decoder):
    """Points to one of a question's C candidates, or finds that nothing is shown or that it was not read.

    A pointer network (arXiv 1506.03134): to point to a candidate is to answer with its exact print, so the language of
    the answers is the candidates' and the empty one, and one step ends it.
    """

    def __init__(self, width: int, heads: int, layers: int, dropout: float):
        super().__init__(_PointingLayer(width, heads, dropout, expansion=4) for _ in range(layers))
        self.begin = nn.Parameter(0.02 * torch.randn(width))
        self.norm = nn.LayerNorm(width)
        self.unpointed = nn.Linear(width, READ)
        self.pointer_query = nn.Linear(width, width, bias=False)
        self.pointer_key = nn.Linear(width, width, bias=False)
        self.candidate_score = nn.Linear(width, 1)

    def forward(self, memory: Memory) -> Tensor:
        """Logits (Q, READ + C); -inf for candidates that are padding."""
        x = self.begin + memory.question[:, :1]
        for layer, cross in zip(self.layers, self.cross(memory), strict=True):
            x = layer(x, cross, memory.mask)
        x = self.norm(x)
        candidates = memory.question[:, 1:]
        pointer = self.pointer_query(x) @ self.pointer_key(candidates).transpose(1, 2) * x.shape[-1] ** -0.5
        pointer = (pointer + self.candidate_score(candidates).transpose(1, 2))[:, 0]
        pointer = pointer.masked_fill(~memory.question_mask[:, 1:], float("-inf"))
        return torch.cat([self.unpointed(x)[:, 0], pointer], dim=-1)


class TiedDecoder(_Decoder):
    """Next-token logits over the vocabulary (V), which is read out by its own embedding (arXiv 1608.05859)."""

    def __init__(
        self, vocabulary: int, width: int, heads: int, layers: int, max_tokens: int, dropout: float, expansion: int
    ):
        super().__init__(_SayingLayer(width, heads, dropout, expansion) for _ in range(layers))
        self.heads = heads
        self.embedding = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(max_tokens + 1, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        nn.init.normal_(self.position.weight, std=0.02)

    def start(self, memory: Memory) -> Cache:
        """Projects the memory to every layer's cross keys and values, once for all steps."""
        return Cache(self.cross(memory), [None] * len(self.layers))

    def embed(self, tokens: Tensor) -> Tensor:
        """What tokens are to the network: (...) to (..., D), as long as what is added to it; read out, an embedding has
        to be short (arXiv 1706.03762)."""
        embedded: Tensor = self.embedding(tokens) * self.embedding.embedding_dim**0.5
        return embedded

    def hidden(self, tokens: Tensor, memory: Memory, cache: Cache) -> Tensor:
        """States (Q, T, D) after each token. Advances the cache.

        Args:
            tokens: (Q, T). The whole answer so far with a fresh cache, one new token with a used one.
        """
        if cache.length and tokens.shape[1] != 1:
            raise ValueError(f"a used cache takes one token a step, not {tokens.shape[1]}")
        places = torch.arange(cache.length, cache.length + tokens.shape[1], device=tokens.device)
        x = self.through(tokens, places, memory.question[:, :1], memory.mask, cache)
        cache.length += tokens.shape[1]
        return x

    def through(self, tokens: Tensor, places: Tensor, prompt: Tensor, mask: Tensor, cache: Cache) -> Tensor:
        """States (Q, T, D) after each token, as `hidden`.

        Args:
            places: (T,) of the tokens in the answer. prompt: (Q, 1, D), first of the question's stream.
            mask: see Memory.
        """
        # The prompt starts every step's query: the decoder knows what is asked without looking it up.
        x = self.embed(tokens) + self.position(places) + prompt
        for i, layer in enumerate(self.layers):
            x, cache.own[i] = layer(x, cache.cross[i], mask, cache.own[i])
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, tokens: Tensor, memory: Memory, cache: Cache) -> Tensor:
        """Logits (Q, T, V) that follow each token, see `hidden`."""
        return self.read_out(self.hidden(tokens, memory, cache))

    def read_out(self, states: Tensor) -> Tensor:
        """(..., D) to logits (..., V)."""
        return F.linear(states, self.embedding.weight, self.bias)
