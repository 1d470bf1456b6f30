"""The stem that looks for print: photos to one feature map at stride 4."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.lcnet_blocks import Block, Narrowing, Weigher

__all__ = ["PrintStem"]

STAGES = ((32, 2), (48, 3), (64, 5), (160, 3))  # width and blocks at strides 4, 8, 16 and 32
LEVEL, FUSED = 64, 16  # channels of the pyramid's levels, and of each in the map that comes out


class PrintStem(nn.Module):
    """Blocks at four strides, then a feature pyramid.

    Laid out as the finder of PP-OCRv6 tiny (arXiv 2606.13108), whose packaged weights can start it.

    Attributes:
        channels: of the feature map.
    """

    channels: Final = FUSED * len(STAGES)

    def __init__(self) -> None:
        super().__init__()
        self.first = _First()
        self.stages = nn.ModuleList()
        cin = STAGES[0][0]
        for i, (width, depth) in enumerate(STAGES):
            blocks: list[nn.Module] = [Narrowing(cin, width)] if i else []
            # Every second block weighs its channels, the first one of a width does.
            blocks += [Block(width, weighed=j % 2 == 0) for j in range(depth - len(blocks))]
            self.stages.append(nn.Sequential(*blocks))
            cin = width
        widths = [width for width, _ in STAGES][::-1]
        self.levels = nn.ModuleList(_Level(width) for width in widths)
        self.fused = nn.ModuleList(_Fused() for _ in widths)

    def forward(self, x: Tensor) -> Tensor:
        """Photos (B, 3, H, W), -1 to 1, sides multiples of 32, to (B, channels, H / 4, W / 4)."""
        maps = []
        x = self.first(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        levels = [level(m) for level, m in zip(self.levels, maps[::-1], strict=True)]
        for i in range(1, len(levels)):
            levels[i] = levels[i] + F.interpolate(levels[i - 1], scale_factor=2.0)
        out = [fused(level) for fused, level in zip(self.fused, levels, strict=True)]
        *coarser, finest = out
        raised = [F.interpolate(m, scale_factor=2.0 ** (len(coarser) - i)) for i, m in enumerate(coarser)]
        return torch.cat([*raised, finest], dim=1)


class _First(nn.Module):
    """To stride 4; small filters beside a maximum keep the strokes of print (HGNet's first block)."""

    def __init__(self) -> None:
        super().__init__()
        self.halve = nn.Conv2d(3, 16, 3, 2, 1)
        self.left = nn.Conv2d(16, 8, 2)
        self.right = nn.Conv2d(8, 16, 2)
        self.quarter = nn.Conv2d(32, 16, 3, 2, 1)
        self.widen = nn.Conv2d(16, STAGES[0][0], 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.halve(x))
        y = F.relu(self.left(_padded(x)))
        y = F.relu(self.right(_padded(y)))
        x = torch.cat([F.max_pool2d(_padded(x), 2, 1), y], dim=1)
        return F.relu(self.widen(F.relu(self.quarter(x))))


def _padded(x: Tensor) -> Tensor:
    """One more row and column, so that a filter of 2 x 2 keeps the size."""
    return F.pad(x, (0, 1, 0, 1))


class _Level(nn.Module):
    def __init__(self, cin: int):
        super().__init__()
        self.widen = nn.Conv2d(cin, LEVEL, 1, bias=False)
        self.weigh = Weigher(LEVEL)

    def forward(self, x: Tensor) -> Tensor:
        x = self.widen(x)
        return x * (1 + self.weigh(x))


class _Fused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv2d(LEVEL, LEVEL, 5, padding=2, groups=LEVEL)
        self.narrow = nn.Conv2d(LEVEL, FUSED, 1, bias=False)
        self.weigh = Weigher(FUSED)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(self.filter(x))
        return x * (1 + self.weigh(x))
