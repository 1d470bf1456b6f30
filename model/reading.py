"""Reading of strips of print from the print stem's feature map, by connectionist temporal classification."""

from typing import Final

import numpy as np
from torch import Tensor, nn

from model.characters import CHARACTERS
from model.layers import Attention, FeedForward

__all__ = ["BLANK", "COLUMN", "STRIP_HEIGHT", "LineReader", "read_out"]

STRIP_HEIGHT: Final = 32  # pixels
COLUMN: Final = 4  # pixels of a strip that a step of the reading stands for
BLANK: Final = len(CHARACTERS)
WIDTHS = (48, 96, 160)
HEADS = 5
LAYERS = 2


class LineReader(nn.Module):
    """Convolutions that lower feature maps at stride 4 to one row, then a transformer along it (arXiv 2205.00159).

    Args:
        channels: of the feature map at stride 4.
    """

    def __init__(self, channels: int):
        super().__init__()
        fine, middle, width = WIDTHS
        self.columns = nn.Sequential(
            _Convolution(channels, fine, (3, 3)),
            _Mixer(fine),
            _Convolution(fine, middle, (3, 3), lower=2),
            _Mixer(middle),
            _Mixer(middle),
            _Convolution(middle, width, (STRIP_HEIGHT // 8, 3), squeeze=True),
        )
        self.layers = nn.ModuleList(_Layer(width) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(CHARACTERS) + 1)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (B, T, CHARACTERS + 1) of the steps along features (B, C, STRIP_HEIGHT / 4, T).

        Args:
            mask: bool (B, T), False where a strip is padded.
        """
        x = self.columns(features).squeeze(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, mask)
        return self.head(self.norm(x))


class _Layer(nn.Module):
    """Attention and feed-forward before which a filter along the line tells the places apart."""

    def __init__(self, width: int):
        super().__init__()
        self.place = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.before = nn.LayerNorm(width)
        self.attention = Attention(width, HEADS)
        self.between = nn.LayerNorm(width)
        self.feed = FeedForward(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.place(x.transpose(1, 2)).transpose(1, 2)
        y = self.before(x)
        x = x + self.attention(y, self.attention.keys(y), mask)
        return x + self.feed(self.between(x))


class _Convolution(nn.Sequential):
    def __init__(self, cin: int, cout: int, kernel: tuple[int, int], lower: int = 1, squeeze: bool = False):
        padding = (0 if squeeze else kernel[0] // 2, kernel[1] // 2)
        super().__init__(
            nn.Conv2d(cin, cout, kernel, (lower, 1), padding, bias=False), nn.BatchNorm2d(cout), nn.ReLU6()
        )


class _Mixer(nn.Module):
    """A depthwise filter, then channels into each other; added to what comes in."""

    def __init__(self, width: int):
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, 2 * width, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU6(),
            nn.Conv2d(2 * width, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def read_out(logits: np.ndarray) -> tuple[str, float]:
    """The likeliest text of a strip's logits (T, CHARACTERS + 1), read greedily, and its characters' mean
    probability; 0 for no text."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    likely = 1 / np.exp(shifted).sum(axis=1)
    best = logits.argmax(axis=1)
    first = np.ones(len(best), bool)
    first[1:] = best[1:] != best[:-1]
    steps = np.flatnonzero(first & (best != BLANK))
    text = "".join(CHARACTERS[i] for i in best[steps]).strip()
    return text, float(likely[steps].mean()) if len(steps) else 0.0
