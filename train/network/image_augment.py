"""Random views of pictures. Labels stay right: colours keep their hue."""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["augment"]

FILL = 127.0  # grey level of a letterbox


def augment(pixels: Tensor, extent: Tensor, side: int, may_flip: Tensor, generator: torch.Generator) -> Tensor:
    """Rotates, crops, stretches, mirrors, lights and partly erases letterboxed pictures, within the same extent.

    Args:
        pixels: uint8 (P, 3, S, S).
        extent: (P, 2), see letterbox.
        side: of the views; the random numbers do not depend on it.
        may_flip: bool (P,), which of them may be mirrored.
        generator: on the device of the pictures.

    Returns:
        float (P, 3, side, side), 0 to 255.
    """

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(pixels), generator=generator, device=pixels.device)

    # The part of the photo that a view shows, in coordinates from 0 to 1 over the photo; its centre is near the middle.
    stretch = uniform(0.9, 1.11)
    scale = uniform(0.75, 1.05)
    width, height = scale * stretch, scale / stretch
    angle = uniform(-0.14, 0.14)
    sign = torch.where(may_flip & (uniform(0, 1) < 0.5), -1.0, 1.0)
    slack_x, slack_y = 0.04 + 0.5 * (1 - width).clamp(min=0), 0.04 + 0.5 * (1 - height).clamp(min=0)
    x = 0.5 + slack_x * uniform(-1, 1) * 0.8
    y = 0.5 + slack_y * uniform(-1, 1) * 0.8
    # From coordinates of the view, centred, to those of the photo; then both to those of grid_sample.
    extent = extent.to(torch.float32)
    cos, sin = angle.cos(), angle.sin()
    aspect = extent[:, 0] / extent[:, 1]
    matrix = torch.stack(
        [
            torch.stack([sign * width * cos, -height * sin / aspect], dim=1),
            torch.stack([sign * width * sin * aspect, height * cos], dim=1),
        ],
        dim=1,
    )
    steps = (torch.arange(side, device=pixels.device) + 0.5) / side
    vy, vx = torch.meshgrid(steps, steps, indexing="ij")
    view = torch.stack([vx, vy], dim=-1)[None] / extent[:, None, None]  # 0 to 1 over the photo
    inside = (view <= 1).all(dim=-1)
    photo = torch.einsum("pij,phwj->phwi", matrix, view - 0.5) + torch.stack([x, y], dim=1)[:, None, None]
    inside &= ((photo >= 0) & (photo <= 1)).all(dim=-1)
    grid = photo * extent[:, None, None] * 2 - 1
    sampled = F.grid_sample(pixels.float() - FILL, grid, padding_mode="border", align_corners=False)
    brightness = uniform(-15, 15)[:, None, None, None]
    contrast = uniform(0.88, 1.12)[:, None, None, None]
    lit = (sampled * contrast + brightness).clamp(-FILL, 255 - FILL) * inside[:, None]
    erased = (uniform(0, 1) < 0.25)[:, None, None]  # random erasing, arXiv 1708.04896
    size = uniform(0.12, 0.32)
    for axis, start in ((vx, (1 - size) * uniform(0, 1)), (vy, (1 - size) * uniform(0, 1))):
        erased = erased & (axis >= start[:, None, None]) & (axis < (start + size)[:, None, None])
    return torch.where(erased[:, None], 0.0, lit) + FILL
