"""The blocks that text detection and text recognition are made of: those of PP-OCRv6 tiny (arXiv 2606.13108).

There are no normalisation layers: the pretrained weights have them folded into the convolutions.
"""

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Downsample", "LCNetBlock", "SqueezeExcite"]


class SqueezeExcite(nn.Module):
    """Channel weights between 0 and 1 from the channels' means (arXiv 1709.01507)."""

    def __init__(self, channels: int):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // 4, 1)
        self.excite = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor, column_weights: Tensor | None = None) -> Tensor:
        """Weights (B, C, 1, 1) for x (B, C, H, W).

        Args:
            column_weights: (B, 1, 1, W), the weight of each column in the mean, summing to one; None weighs all alike.
        """
        if column_weights is None:
            means = x.mean(dim=(2, 3), keepdim=True)
        else:
            means = (x.mean(dim=2, keepdim=True) * column_weights).sum(dim=3, keepdim=True)
        return F.hardsigmoid(self.excite(F.relu(self.squeeze(means))))


class LCNetBlock(nn.Module):
    """A depthwise convolution and a pointwise MLP with a residual connection.

    Args:
        squeeze_excite: whether the channels are reweighted between the two.
    """

    def __init__(self, channels: int, squeeze_excite: bool):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.squeeze_excite = SqueezeExcite(channels) if squeeze_excite else None
        self.pointwise = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1), nn.GELU(), nn.Conv2d(2 * channels, channels, 1)
        )

    def forward(self, x: Tensor, column_weights: Tensor | None = None) -> Tensor:
        """(B, C, H, W) to the same shape; `column_weights` as SqueezeExcite takes them."""
        x = self.depthwise(x)
        if self.squeeze_excite is not None:
            x = x * self.squeeze_excite(x, column_weights)
        mixed: Tensor = x + self.pointwise(x)
        return mixed


class Downsample(nn.Sequential):
    """Halves the height, changes the number of channels and, by `stride`, halves the width."""

    def __init__(self, in_channels: int, out_channels: int, stride: tuple[int, int] = (2, 2)):
        super().__init__(
            nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels),
            nn.Conv2d(in_channels, 2 * in_channels, 1),
            nn.GELU(),
            nn.Conv2d(2 * in_channels, out_channels, 1),
        )
