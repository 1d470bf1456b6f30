"""The residual stem with self-attention: (B, 3, H, W) photos to feature maps at stride 16."""

from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.layers import Attention
from resformer.model.networks.presets import Preset

__all__ = ["Backbone", "ConvBatchNorm", "InvertedResidual", "MobileTrunk", "SelfAttention2d"]


class Backbone(nn.Module):
    """The convolutional trunk of a preset, then self-attention.

    Attributes:
        out_channels: channels of the feature map.
    """

    def __init__(self, preset: Preset):
        super().__init__()
        self.out_channels = preset.backbone_widths[-1]
        self.trunk = _trunk(preset)
        self.self_attention = SelfAttention2d(self.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, out_channels, H / 16, W / 16)."""
        features: Tensor = self.self_attention(self.trunk(x))
        return features


class SelfAttention2d(nn.Module):
    """Every position of a feature map (B, C, H, W) attends to every other; added to the map.

    The residual branch starts at zero, so that pretrained convolutions start with what they have learned.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        # 16 to 64 channels a head, whatever the width.
        self.attention = Attention(channels, heads=max(1, channels // 64) if channels % 64 == 0 else 4)
        nn.init.zeros_(self.attention.out.weight)
        nn.init.zeros_(self.attention.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, C, H, W) to features of the same shape."""
        tokens = self.norm(x.flatten(2).transpose(1, 2))
        attended = self.attention(tokens, self.attention.key_values(tokens))
        out: Tensor = x + attended.transpose(1, 2).unflatten(2, x.shape[2:])
        return out


class ConvBatchNorm(nn.Module):
    """Convolution, batch norm, optional ReLU6.

    At stride 2 the padding is one pixel heavier at the right and bottom, as in EfficientNet-Lite's training: with even
    sizes, symmetric padding would shift its features by half a pixel a stage.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
    ):
        super().__init__()
        total = kernel - stride
        # Symmetric padding is the convolution's own, which copies nothing.
        symmetric = total // 2 if total % 2 == 0 else 0
        self.pad = (0, 0, 0, 0) if total % 2 == 0 else (total // 2, total - total // 2) * 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, symmetric, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, eps=1e-3)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        x = self.norm(self.conv(F.pad(x, self.pad) if any(self.pad) else x))
        return F.relu6(x, inplace=True) if self.act else x


class InvertedResidual(nn.Module):
    """Pointwise expansion, depthwise convolution, pointwise projection (arXiv 1801.04381)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        hidden = in_channels * expansion
        self.expand = ConvBatchNorm(in_channels, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBatchNorm(hidden, hidden, kernel, stride, groups=hidden)
        self.project = ConvBatchNorm(hidden, out_channels, 1, act=False)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        y = self.project(self.depthwise(self.expand(x)))
        out: Tensor = x + y if self.residual else y
        return out


class MobileTrunk(nn.Sequential):
    """EfficientNet-Lite's layout up to stride 16 (kernels 3 3 5 3 5, strides 1 2 2 2 1, expansion 6)."""

    def __init__(self, preset: Preset):
        first, *widths = preset.backbone_widths
        layers: list[nn.Module] = [ConvBatchNorm(3, first, 3, 2)]
        in_channels = first
        stages = zip(widths, preset.backbone_depths[1:], (3, 3, 5, 3, 5), (1, 2, 2, 2, 1), (1, 6, 6, 6, 6), strict=True)
        for out_channels, depth, kernel, stride, expansion in stages:
            for block in range(depth):
                layers.append(
                    InvertedResidual(in_channels, out_channels, kernel, stride if block == 0 else 1, expansion)
                )
                in_channels = out_channels
        super().__init__(*layers)


def _trunk(preset: Preset) -> nn.Module:
    if preset.backbone == "mobile":
        return MobileTrunk(preset)
    # Not before it is needed: torchvision loads torch's compiler, a second and 150 MiB that a server does without.
    from resformer.model.networks.resnet import ResNetTrunk

    return ResNetTrunk(preset)
