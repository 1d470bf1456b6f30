"""Reading of strips of print, by connectionist temporal classification."""

from typing import Final

from torch import Tensor, nn

from resformer.model.networks.lcnet_blocks import Block, Narrowing
from resformer.model.ocr.charset import CHARACTERS

__all__ = ["BLANK", "COLUMN", "STRIP_HEIGHT", "LineReader"]

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
