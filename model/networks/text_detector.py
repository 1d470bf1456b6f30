"""Dense maps of the print on a photo: where lines run, how they are turned, what they hold."""

from typing import Final

import torch
from torch import Tensor, nn

__all__ = ["CELL", "CUE", "DIGIT", "HEIGHT", "MAPS", "PRINT", "TURNS", "PrintMaps"]

CELL: Final = 2  # pixels that a place on the maps covers, each way

# The channels. All but the height are logits; all but the first count only where there is print.
PRINT, DIGIT, CUE = 0, 1, 2  # the inner band of a line; a digit of it; a unit or cue word of it
HEIGHT = 3  # natural logarithm of the height of the line, in cells
TURNS = slice(4, 8)  # logits: upright print, or turned clockwise by one, two or three quarters
MAPS = 8

STRIDE = 4  # of the feature map
HIDDEN, KINDS_HIDDEN = 16, 32
# Where learning starts from: most of a photo has no print, and what it has is about a dozen pixels high.
RARE, USUAL = -2.0, 1.8


class PrintMaps(nn.Module):
    """Reads the maps out of a feature map at stride 4, from each of whose places come four of theirs (arXiv
    1609.05158): at stride 4 the lines of small print would run together."""

    def __init__(self, channels: int):
        super().__init__()
        self.print = nn.Sequential(
            nn.Conv2d(channels, HIDDEN, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(HIDDEN, HIDDEN, 2, 2),
            nn.ReLU(),
            nn.Conv2d(HIDDEN, 1, 1),
        )
        finer = (STRIDE // CELL) ** 2
        kinds = nn.Conv2d(KINDS_HIDDEN, (MAPS - 1) * finer, 1)
        self.kinds = nn.Sequential(
            nn.Conv2d(channels, KINDS_HIDDEN, 1),
            nn.ReLU(),
            nn.Conv2d(KINDS_HIDDEN, KINDS_HIDDEN, 5, padding=2, groups=KINDS_HIDDEN),
            nn.ReLU(),
            kinds,
            nn.PixelShuffle(STRIDE // CELL),
        )
        assert kinds.bias is not None
        nn.init.constant_(kinds.bias[: (HEIGHT - 1) * finer], RARE)
        nn.init.constant_(kinds.bias[(HEIGHT - 1) * finer : HEIGHT * finer], USUAL)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, H / 4, W / 4) of photos to (B, MAPS, H / CELL, W / CELL)."""
        return torch.cat([self.print(features), self.kinds(features)], dim=1)
