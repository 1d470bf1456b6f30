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
            mask: bool (B, N, M), True where a query may attend to a key.
            causal: position i attends to keys up to i only (then no mask).
        """
        # In training on a CPU, where torch's kernel is slow backwards: a sixth of a step.
        attend = _attend if torch.is_grad_enabled() and x.device.type == "cpu" else F.scaled_dot_product_attention
        attended = attend(
            self._split(self.query(x)),
            *kv,
            attn_mask=None if mask is None else mask[:, None],
            is_causal=causal,
        )
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        heads: Tensor = torch.unflatten(x, -1, (self.heads, -1)).transpose(1, 2)
        return heads


class FeedForward(nn.Sequential):
    """Two linear maps around a GELU, `expansion` times as wide between."""

    def __init__(self, width: int, expansion: int = 4):
        wide = expansion * width
        super().__init__(nn.Linear(width, wide), nn.GELU(), nn.Linear(wide, width))


def _attend(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, is_causal: bool) -> Tensor:
    """What torch's scaled_dot_product_attention gives, by matrix products."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, torch.finfo(scores.dtype).min)
    attended: Tensor = scores.softmax(dim=-1, dtype=torch.float32).to(value.dtype) @ value
    return attended


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
