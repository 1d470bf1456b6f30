"""Dense maps of the print on a photo, from the stem's feature maps: where lines run, how they are turned, what they
hold."""

from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["CELL", "CUE", "DIGIT", "HEIGHT", "MAPS", "PRINT", "TURNS", "PrintMaps"]

CELL: Final = 2  # pixels that a place on the maps covers, each way

# The channels. All but the height are logits; all but the first count only where there is print.
PRINT, DIGIT, CUE = 0, 1, 2  # the inner band of a line; a digit of it; a unit or cue word of it
HEIGHT = 3  # natural logarithm of the height of the line, in cells
TURNS = slice(4, 8)  # logits: upright print, or turned clockwise by one, two or three quarters
MAPS = 8

STRIDE = 4  # of the finest feature maps
# Where learning starts from: most of a photo has no print, and what it has is about a dozen pixels high.
RARE, USUAL = -2.0, 1.8


class PrintMaps(nn.Module):
    """A feature pyramid (arXiv 1612.03144) with depthwise filters, and from each place of its finest level four of the
    maps (arXiv 1609.05158): at stride 4 the lines of small print would run together."""

    def __init__(self, channels: tuple[int, int, int], width: int):
        """`channels`: of the feature maps at strides 4, 8 and 16."""
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        self.middle = _Mixer(width)
        self.fine = _Mixer(width)
        self.last = _Mixer(width)
        finer = STRIDE // CELL
        self.head = nn.Sequential(nn.Conv2d(width, MAPS * finer**2, 1), nn.PixelShuffle(finer))
        first = self.head[0].bias
        assert isinstance(first, Tensor)
        nn.init.constant_(first[: HEIGHT * finer**2], RARE)
        nn.init.constant_(first[HEIGHT * finer**2 : (HEIGHT + 1) * finer**2], USUAL)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        """Feature maps at strides 4, 8 and 16 of photos (B, 3, H, W) to (B, MAPS, H / CELL, W / CELL)."""
        at4, at8, at16 = self.lateral
        x = self.middle(at8(middle) + F.interpolate(at16(coarse), scale_factor=2.0))
        x = self.fine(at4(fine) + F.interpolate(x, scale_factor=2.0))
        return self.head(x + self.last(x))


class _Mixer(nn.Sequential):
    """A depthwise filter of 5 x 5, then channels into each other."""

    def __init__(self, width: int):
        super().__init__(
            nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU6(),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU6(),
        )
