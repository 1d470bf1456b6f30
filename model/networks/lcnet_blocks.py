"""What the finding and the reading of print are made of: the blocks of PP-OCRv6 tiny (arXiv 2606.13108).

There are no normalisation layers: in the packaged weights, which can start them, they are part of the convolutions.
"""

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Block", "Narrowing", "Weigher"]


class Weigher(nn.Module):
    """Squeeze and excitation (arXiv 1709.01507): a weight between 0 and 1 for every channel."""

    def __init__(self, width: int):
        super().__init__()
        self.squeeze = nn.Conv2d(width, width // 4, 1)
        self.excite = nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor, shares: Tensor | None = None) -> Tensor:
        """Weights (B, C, 1, 1) for x (B, C, H, W).

        Args:
            shares: (B, 1, 1, W), what each column counts; they add up to one. None: all alike.
        """
        if shares is None:
            means = x.mean(dim=(2, 3), keepdim=True)
        else:
            means = (x.mean(dim=2, keepdim=True) * shares).sum(dim=3, keepdim=True)
        return F.hardsigmoid(self.excite(F.relu(self.squeeze(means))))


class Block(nn.Module):
    """A depthwise filter and a pointwise MLP.

    Args:
        weighed: whether the filtered channels are weighed.
    """

    def __init__(self, width: int, weighed: bool):
        super().__init__()
        self.filter = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.weigh = Weigher(width) if weighed else None
        self.mix = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.GELU(), nn.Conv2d(2 * width, width, 1))

    def forward(self, x: Tensor, shares: Tensor | None = None) -> Tensor:
        """(B, C, H, W) to the same; shares as Weigher takes them."""
        x = self.filter(x)
        if self.weigh is not None:
            x = x * self.weigh(x, shares)
        return x + self.mix(x)


class Narrowing(nn.Sequential):
    """To half the height, another number of channels and, by `stride`, half the width."""

    def __init__(self, cin: int, cout: int, stride: tuple[int, int] = (2, 2)):
        super().__init__(
            nn.Conv2d(cin, cin, 3, stride, 1, groups=cin),
            nn.Conv2d(cin, 2 * cin, 1),
            nn.GELU(),
            nn.Conv2d(2 * cin, cout, 1),
        )
