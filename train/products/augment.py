"""Pictures turned, cut and lit otherwise, so that their labels stay right: colours keep their hue."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["augment"]

BLANK = 127.0  # what a letterbox is filled with


def augment(pixels: Tensor, visible: Tensor, side: int, mirrored: Tensor, generator: torch.Generator) -> Tensor:
    """Random views of letterboxed pictures, which cover the same share of their box.

    Args:
        pixels: uint8 (P, 3, S, S). visible: (P, 2), see model.products.letterbox.
        side: of the views.
        mirrored: bool (P,), which of them may be mirrored.

    Returns: float (P, 3, side, side), 0 to 255.
    """
    count = len(pixels)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    # Where a view takes its pixels: coordinates of the photo alone run from 0 to 1, its centre stays near the middle.
    stretch = uniform(0.9, 1.11)
    scale = uniform(0.75, 1.05)
    wide, high = scale * stretch, scale / stretch
    angle = uniform(-0.14, 0.14)
    sign = torch.where(mirrored & (torch.rand(count, generator=generator) < 0.5), -1.0, 1.0)
    slack_x, slack_y = 0.04 + 0.5 * (1 - wide).clamp(min=0), 0.04 + 0.5 * (1 - high).clamp(min=0)
    x = 0.5 + slack_x * uniform(-1, 1) * 0.8
    y = 0.5 + slack_y * uniform(-1, 1) * 0.8
    # From view coordinates (photo's share, centred) to photo coordinates; then both to those of grid_sample.
    share = visible.to(torch.float32)
    cos, sin = angle.cos(), angle.sin()
    aspect = share[:, 0] / share[:, 1]
    matrix = torch.stack(
        [
            torch.stack([sign * wide * cos, -high * sin / aspect], dim=1),
            torch.stack([sign * wide * sin * aspect, high * cos], dim=1),
        ],
        dim=1,
    )
    steps = (torch.arange(side) + 0.5) / side
    vy, vx = torch.meshgrid(steps, steps, indexing="ij")
    view = torch.stack([vx, vy], dim=-1)[None] / share[:, None, None]  # 0 to 1 over the photo
    inside = (view <= 1).all(dim=-1)
    photo = torch.einsum("pij,phwj->phwi", matrix, view - 0.5) + torch.stack([x, y], dim=1)[:, None, None]
    inside &= ((photo >= 0) & (photo <= 1)).all(dim=-1)
    grid = photo * share[:, None, None] * 2 - 1
    seen = F.grid_sample(pixels.float() - BLANK, grid, padding_mode="border", align_corners=False)
    light = uniform(-15, 15)[:, None, None, None]
    contrast = uniform(0.88, 1.12)[:, None, None, None]
    seen = (seen * contrast + light).clamp(-BLANK, 128) * inside[:, None]
    for i in torch.nonzero(torch.rand(count, generator=generator) < 0.25).flatten().tolist():
        part = int(side * (0.12 + 0.2 * torch.rand(1, generator=generator).item()))
        top, left = (int((side - part) * torch.rand(1, generator=generator).item()) for _ in range(2))
        seen[i, :, top : top + part, left : left + part] = 0  # random erasing, arXiv 1708.04896
    return seen + BLANK
