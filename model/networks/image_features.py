"""From pixels to patches: the residual stem with self-attention, a stage at stride 32, and colour statistics."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.backbone import Backbone, InvertedResidual
from resformer.model.networks.presets import Preset

__all__ = ["ImageFeatures"]


class ImageFeatures(nn.Module):
    """Describes every patch of a picture by what the stem and the deep stage see in it, and by its colours.

    Attributes:
        size: numbers that describe a patch.
    """

    def __init__(self, preset: Preset):
        super().__init__()
        self.backbone = Backbone(preset)
        blocks, channels = [], self.backbone.out_channels
        for block in range(preset.deep_depth):
            blocks.append(InvertedResidual(channels, preset.deep_width, 5, 2 if block == 0 else 1, 6))
            channels = preset.deep_width
        self.deep_stage = nn.Sequential(*blocks)
        self._color_cell = preset.stride // 2  # pixels; a patch has colour statistics of 2 x 2 cells
        self.size = channels + (self.backbone.out_channels if blocks else 0) + 4 * 6

    def forward(self, pixels: Tensor) -> Tensor:
        """Features (P, N, size) of pictures (P, 3, S, S), 0 to 255, S a multiple of the preset's stride."""
        x = (pixels.to(self.dtype) - 127) / 128
        stem = self.backbone(x)
        mean, square = F.avg_pool2d(x, self._color_cell), F.avg_pool2d(x * x, self._color_cell)
        deviation = (square - mean * mean).clamp(min=1e-6).sqrt()
        maps = [self.deep_stage(stem), F.pixel_unshuffle(torch.cat([mean, deviation], dim=1), 2)]
        if len(self.deep_stage):
            maps.append(F.avg_pool2d(stem, 2))
        return torch.cat([m.flatten(2) for m in maps], dim=1).transpose(1, 2)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.backbone.self_attention.norm.weight.dtype
