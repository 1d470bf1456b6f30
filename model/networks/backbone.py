"""Residual stems: (B, 3, H, W) photos to feature maps at stride 16, with self-attention."""

from torch import Tensor, nn
from torch.nn import functional as F

from resformer.model.networks.layers import Attention
from resformer.model.networks.presets import Preset

__all__ = ["SelfAttention2d", "Stem"]


class Stem(nn.Sequential):
    """The trunk of a preset, then self-attention.

    Attributes:
        channels: of the feature map.
    """

    def __init__(self, preset: Preset):
        self.channels = preset.stem_widths[-1]
        super().__init__(_trunk(preset), SelfAttention2d(self.channels))


class SelfAttention2d(nn.Module):
    """Every place of a feature map looks at every other; added to the map (B, C, H, W).

    The residual branch starts at zero, so that a stem started from trained convolutions begins as they were.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        # 16 to 64 channels a head, whatever the width.
        self.attention = Attention(channels, heads=max(1, channels // 64) if channels % 64 == 0 else 4)
        nn.init.zeros_(self.attention.out.weight)
        nn.init.zeros_(self.attention.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x.flatten(2).transpose(1, 2))
        attended = self.attention(tokens, self.attention.keys(tokens))
        return x + attended.transpose(1, 2).unflatten(2, x.shape[2:])


class _Convolution(nn.Module):
    """Convolution, batch norm, optional ReLU6.

    At stride 2 the padding is one pixel heavier at the right and bottom, as EfficientNet-Lite's training had
    it: with even sizes, symmetric padding would shift its features by half a pixel a stage.
    """

    def __init__(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True):
        super().__init__()
        total = kernel - stride
        # Even padding is the convolution's own, which copies nothing.
        even = total // 2 if total % 2 == 0 else 0
        self.pad = (0, 0, 0, 0) if total % 2 == 0 else (total // 2, total - total // 2) * 2
        self.conv = nn.Conv2d(cin, cout, kernel, stride, even, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(cout, eps=1e-3)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(F.pad(x, self.pad) if any(self.pad) else x))
        return F.relu6(x, inplace=True) if self.act else x


class InvertedResidual(nn.Module):
    """Widen by a pointwise, filter by a depthwise, narrow by a pointwise convolution (arXiv 1801.04381)."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expand: int):
        super().__init__()
        wide = cin * expand
        self.expand = _Convolution(cin, wide, 1) if expand > 1 else nn.Identity()
        self.depthwise = _Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = _Convolution(wide, cout, 1, act=False)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class MobileTrunk(nn.Sequential):
    """EfficientNet-Lite's layout up to stride 16 (kernels 3 3 5 3 5, strides 1 2 2 2 1, expansion 6)."""

    def __init__(self, preset: Preset):
        first, *widths = preset.stem_widths
        layers: list[nn.Module] = [_Convolution(3, first, 3, 2)]
        cin = first
        stages = zip(widths, preset.stem_depths[1:], (3, 3, 5, 3, 5), (1, 2, 2, 2, 1), (1, 6, 6, 6, 6), strict=True)
        for cout, depth, kernel, stride, expand in stages:
            for block in range(depth):
                layers.append(InvertedResidual(cin, cout, kernel, stride if block == 0 else 1, expand))
                cin = cout
        super().__init__(*layers)


def _trunk(preset: Preset) -> nn.Module:
    if preset.stem == "mobile":
        return MobileTrunk(preset)
    # Not before it is needed: its package loads torch's compiler, a second and 150 MiB that a server does without.
    from resformer.model.networks.resnet import ResNetTrunk

    return ResNetTrunk(preset)
