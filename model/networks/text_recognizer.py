"""Reading of strips of print, by connectionist temporal classification."""

from typing import Final

import numpy as np
from torch import Tensor, nn

from resformer.model.characters import CHARACTERS
from resformer.model.networks.lcnet_blocks import Block, Narrowing

__all__ = ["BLANK", "COLUMN", "STRIP_HEIGHT", "LineReader", "read_out"]

STRIP_HEIGHT: Final = 32  # pixels
COLUMN: Final = 4  # pixels of a strip that a step of the reading stands for
BLANK: Final = len(CHARACTERS)
FIRST = 24  # channels at stride 2
STAGES = ((48, 2), (96, 3), (160, 4))  # channels and blocks at strides 4, 8 and 16 from top to bottom
ALONG = 5  # steps that a filter along the line covers


class LineReader(nn.Module):
    """Blocks that lower strips to one row, then filters along it.

    Laid out as the recogniser of PP-OCRv6 tiny (arXiv 2606.13108), whose packaged weights can start it. That one takes
    strips 48 pixels high and a step of 8 pixels: at 32 and 4 it costs half as much, and its steps are finer for the
    height of the print.
    """

    def __init__(self) -> None:
        super().__init__()
        width = STAGES[0][0]
        self.first = nn.Sequential(nn.Conv2d(3, FIRST, 3, 2, 1), nn.GELU(), nn.Conv2d(FIRST, width, 3, 2, 1))
        self.blocks = nn.ModuleList()
        for i, (cout, depth) in enumerate(STAGES):
            narrowing: list[nn.Module] = [Narrowing(width, cout, (2, 1))] if i else []
            # The first block of a width weighs its channels.
            self.blocks += [*narrowing, *(Block(cout, weighed=not j) for j in range(depth - len(narrowing)))]
            width = cout
        self.along = nn.Sequential(
            nn.Conv1d(width, width, ALONG, padding=ALONG // 2, groups=width),
            nn.Hardswish(),
            nn.Conv1d(width, width, 1),
            nn.Hardswish(),
        )
        self.head = nn.Linear(width, len(CHARACTERS) + 1)

    def forward(self, strips: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (B, W / COLUMN, CHARACTERS + 1) of the steps along strips (B, 3, STRIP_HEIGHT, W), -1 to 1.

        Args:
            mask: bool (B, W / COLUMN), False where a strip is padded: what stands there changes nothing.
        """
        x = self.first(strips)
        seen = None if mask is None else mask[:, None, None].to(x.dtype)
        shares = None if seen is None else seen / seen.sum(dim=3, keepdim=True)
        for block in self.blocks:
            x = x if seen is None else x * seen
            x = block(x, shares) if isinstance(block, Block) else block(x)
        x = x.mean(dim=2)
        x = x if seen is None else x * seen[:, :, 0]
        return self.head(self.along(x).transpose(1, 2))


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
