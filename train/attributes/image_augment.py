"""Pictures turned, cut and lit otherwise, so that their labels stay right: colours keep their hue."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["augment"]

BLANK = 127.0  # what a letterbox is filled with


def augment(pixels: Tensor, visible: Tensor, side: int, mirrored: Tensor, generator: torch.Generator) -> Tensor:
    """Random views of letterboxed pictures, which cover the same share of their box.

    Args:
        pixels: uint8 (P, 3, S, S). visible: (P, 2), see model.inference.attribute_inputs.letterbox.
        side: of the views; what is drawn does not depend on it.
        mirrored: bool (P,), which of them may be mirrored.
        generator: on the device of the pictures.

    Returns: float (P, 3, side, side), 0 to 255.
    """

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(pixels), generator=generator, device=pixels.device)

    # Where a view takes its pixels: coordinates of the photo alone run from 0 to 1, its centre stays near the middle.
    stretch = uniform(0.9, 1.11)
    scale = uniform(0.75, 1.05)
    wide, high = scale * stretch, scale / stretch
    angle = uniform(-0.14, 0.14)
    sign = torch.where(mirrored & (uniform(0, 1) < 0.5), -1.0, 1.0)
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
    steps = (torch.arange(side, device=pixels.device) + 0.5) / side
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
    erased = (uniform(0, 1) < 0.25)[:, None, None]  # random erasing, arXiv 1708.04896
    part = uniform(0.12, 0.32)
    for along, low in ((vx, (1 - part) * uniform(0, 1)), (vy, (1 - part) * uniform(0, 1))):
        erased = erased & (along >= low[:, None, None]) & (along < (low + part)[:, None, None])
    return torch.where(erased[:, None], 0.0, seen) + BLANK
