"""Text detection: a photo to score maps of where text lines run, how they are turned, and what they hold."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.lcnet_blocks import Downsample, LCNetBlock, SqueezeExcite

__all__ = [
    "CUE",
    "DIGIT",
    "HEIGHT",
    "MAP_STRIDE",
    "NUM_MAPS",
    "ORIENTATION",
    "TEXT",
    "DetectionNetwork",
    "TextDetectionHead",
    "TextDetectorBackbone",
]

MAP_STRIDE: Final = 2  # pixels of the photo that a map pixel covers, each way

# Channels of the score maps. All but the height are logits; all but the first are defined only where there is text.
TEXT, DIGIT, CUE = 0, 1, 2  # the kernel of a line; a digit in it; a unit or cue word in it
HEIGHT = 3  # natural logarithm of the height of the line, in map pixels
ORIENTATION = slice(4, 8)  # logits: upright text, or turned clockwise by 90, 180 or 270 degrees
NUM_MAPS = 8

STAGES = ((32, 2), (48, 3), (64, 5), (160, 3))  # channels and blocks at strides 4, 8, 16 and 32
PYRAMID_CHANNELS, FUSED_CHANNELS = 64, 16  # of a pyramid level, and of each level in the backbone's output
BACKBONE_STRIDE = 4
HEAD_CHANNELS, DETAIL_CHANNELS = 16, 32
# Initial biases: most of a photo has no text, and a usual line is about a dozen pixels high.
INITIAL_LOGIT, INITIAL_LOG_HEIGHT = -2.0, 1.8


class DetectionNetwork(nn.Module):
    """Backbone and head."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = TextDetectorBackbone()
        self.head = TextDetectionHead(TextDetectorBackbone.out_channels)

    def forward(self, pixels: Tensor) -> Tensor:
        """Photos (B, 3, H, W), 0 to 255, sides multiples of 32, to score maps (B, NUM_MAPS, H / 2, W / 2)."""
        dtype = self.backbone.stem.conv1.weight.dtype
        maps: Tensor = self.head(self.backbone((pixels.to(dtype) - 127) / 128))
        return maps


class TextDetectorBackbone(nn.Module):
    """LCNet blocks at four strides, then a feature pyramid (arXiv 1612.03144).

    Laid out as the detector of PP-OCRv6 tiny (arXiv 2606.13108), so that its pretrained weights fit.

    Attributes:
        out_channels: channels of the feature map.
    """

    out_channels: Final = FUSED_CHANNELS * len(STAGES)

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Stem()
        self.stages = nn.ModuleList()
        in_channels = STAGES[0][0]
        for i, (channels, depth) in enumerate(STAGES):
            blocks: list[nn.Module] = [Downsample(in_channels, channels)] if i else []
            # The first block after a change of channels and every second one after it reweight their channels.
            blocks += [LCNetBlock(channels, squeeze_excite=j % 2 == 0) for j in range(depth - len(blocks))]
            self.stages.append(nn.Sequential(*blocks))
            in_channels = channels
        widths = [channels for channels, _ in STAGES][::-1]
        self.laterals = nn.ModuleList(_Lateral(channels) for channels in widths)
        self.fusions = nn.ModuleList(_Fusion() for _ in widths)

    def forward(self, x: Tensor) -> Tensor:
        """Photos (B, 3, H, W), -1 to 1, sides multiples of 32, to (B, out_channels, H / 4, W / 4)."""
        features = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        levels = [lateral(f) for lateral, f in zip(self.laterals, features[::-1], strict=True)]
        for i in range(1, len(levels)):
            levels[i] = levels[i] + F.interpolate(levels[i - 1], scale_factor=2.0)
        *coarser, finest = [fuse(level) for fuse, level in zip(self.fusions, levels, strict=True)]
        upsampled = [F.interpolate(f, scale_factor=2.0 ** (len(coarser) - i)) for i, f in enumerate(coarser)]
        return torch.cat([*upsampled, finest], dim=1)


class _Stem(nn.Module):
    """To stride 4; small convolutions beside a maximum keep thin lines of characters (the stem of HGNet)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 2, 1)
        self.conv2a = nn.Conv2d(16, 8, 2)
        self.conv2b = nn.Conv2d(8, 16, 2)
        self.conv3 = nn.Conv2d(32, 16, 3, 2, 1)
        self.conv4 = nn.Conv2d(16, STAGES[0][0], 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        y = F.relu(self.conv2a(_pad_bottom_right(x)))
        y = F.relu(self.conv2b(_pad_bottom_right(y)))
        x = torch.cat([F.max_pool2d(_pad_bottom_right(x), 2, 1), y], dim=1)
        return F.relu(self.conv4(F.relu(self.conv3(x))))


def _pad_bottom_right(x: Tensor) -> Tensor:
    """One more row and column, so that a kernel of 2 x 2 keeps the size."""
    return F.pad(x, (0, 1, 0, 1))


class _Lateral(nn.Module):
    """A stage's features to a level of the pyramid."""

    def __init__(self, in_channels: int):
        super().__init__()
        self.project = nn.Conv2d(in_channels, PYRAMID_CHANNELS, 1, bias=False)
        self.squeeze_excite = SqueezeExcite(PYRAMID_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.project(x)
        weighted: Tensor = x * (1 + self.squeeze_excite(x))
        return weighted


class _Fusion(nn.Module):
    """A level of the pyramid to its channels of the output."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(PYRAMID_CHANNELS, PYRAMID_CHANNELS, 5, padding=2, groups=PYRAMID_CHANNELS)
        self.project = nn.Conv2d(PYRAMID_CHANNELS, FUSED_CHANNELS, 1, bias=False)
        self.squeeze_excite = SqueezeExcite(FUSED_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.project(self.depthwise(x))
        weighted: Tensor = x * (1 + self.squeeze_excite(x))
        return weighted


class TextDetectionHead(nn.Module):
    """Score maps at stride 2 from features at stride 4, by sub-pixel convolution (arXiv 1609.05158).

    At stride 4 lines of small text would merge.
    """

    def __init__(self, in_channels: int):
        super().__init__()
        self.text = nn.Sequential(
            nn.Conv2d(in_channels, HEAD_CHANNELS, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(HEAD_CHANNELS, HEAD_CHANNELS, 2, 2),
            nn.ReLU(),
            nn.Conv2d(HEAD_CHANNELS, 1, 1),
        )
        subpixels = (BACKBONE_STRIDE // MAP_STRIDE) ** 2
        last = nn.Conv2d(DETAIL_CHANNELS, (NUM_MAPS - 1) * subpixels, 1)
        self.details = nn.Sequential(
            nn.Conv2d(in_channels, DETAIL_CHANNELS, 1),
            nn.ReLU(),
            nn.Conv2d(DETAIL_CHANNELS, DETAIL_CHANNELS, 5, padding=2, groups=DETAIL_CHANNELS),
            nn.ReLU(),
            last,
            nn.PixelShuffle(BACKBONE_STRIDE // MAP_STRIDE),
        )
        assert last.bias is not None
        nn.init.constant_(last.bias[: (HEIGHT - 1) * subpixels], INITIAL_LOGIT)
        nn.init.constant_(last.bias[(HEIGHT - 1) * subpixels : HEIGHT * subpixels], INITIAL_LOG_HEIGHT)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, H / 4, W / 4) of photos to score maps (B, NUM_MAPS, H / 2, W / 2)."""
        return torch.cat([self.text(features), self.details(features)], dim=1)
