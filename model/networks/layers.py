"""Attention layers shared by backbone, encoder and decoder. Shapes: B batch, N tokens, D width, H heads."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Attention", "FeedForward", "KeyValue", "sincos_2d"]

KeyValue = tuple[Tensor, Tensor]


class Attention(nn.Module):
    """Multi-head attention on torch's own kernels, with keys and values that can be computed once and kept.

    Nothing is dropped inside it: the fast kernels cannot, and what follows is dropped from.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def key_values(self, x: Tensor) -> KeyValue:
        """(B, N, D) -> keys and values, each (B, H, N, D / H)."""
        key, value = self.key_value(x).chunk(2, dim=-1)
        return self._split(key), self._split(value)

    def forward(self, x: Tensor, kv: KeyValue, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """Queries (B, N, D) attend to kv (B, H, M, D / H).

        Args:
            mask: bool (B, M), True where a key may be attended to.
            causal: position i attends to keys up to i only (then no mask).
        """
        attended = F.scaled_dot_product_attention(
            self._split(self.query(x)),
            *kv,
            attn_mask=None if mask is None else mask[:, None, None, :],
            is_causal=causal,
        )
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        heads: Tensor = torch.unflatten(x, -1, (self.heads, -1)).transpose(1, 2)
        return heads


class FeedForward(nn.Sequential):
    """Two linear maps around a GELU, `expansion` times as wide between."""

    def __init__(self, width: int, dropout: float = 0.0, expansion: int = 4):
        wide = expansion * width
        super().__init__(nn.Linear(width, wide), nn.GELU(), nn.Dropout(dropout), nn.Linear(wide, width))


def sincos_2d(points: Tensor, width: int) -> Tensor:
    """Sine-cosine code of points on the photo.

    The one-dimensional code of Vaswani et al. (arXiv 1706.03762), half the channels for x, half for y.
    The finest wavelength is 1/64 of the photo's longer side, the coarsest four times that side.

    Args:
        points: (..., 2), x and y in units of the photo's longer side.

    Returns: (..., width).
    """
    steps = torch.linspace(0, 1, width // 4, device=points.device, dtype=points.dtype)
    frequencies = 2 * torch.pi * 64 * (1 / 256) ** steps
    angles = points[..., None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)
