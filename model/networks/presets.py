"""Named sizes of the Resformer."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Sizes of one Resformer.

    Attributes:
        width, heads, encoder_layers, decoder_layers, expansion: of the transformer; `expansion` is that of its feed
            forward layers.
        image_size: side of the letterboxed square picture in pixels; a multiple of `stride`.
        backbone: `mobile` (inverted residuals, shaped as EfficientNet-Lite1, so that its pretrained weights fit) or
            `resnet` (bottleneck residuals).
        backbone_widths: channels after each stage; the first of a `mobile` backbone is its stem convolution's.
        backbone_depths: blocks of each stage.
        deep_width, deep_depth: channels and blocks of a stage at stride 32; no blocks leave the stride at 16.
    """

    name: str
    backbone: Literal["mobile", "resnet"]
    backbone_widths: tuple[int, ...]
    backbone_depths: tuple[int, ...]
    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    image_size: int
    deep_width: int = 0
    deep_depth: int = 0
    expansion: int = 4
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width % (4 * self.heads):
            raise ValueError(f"preset {self.name}: width {self.width} must be a multiple of 4 x {self.heads} heads")
        if self.image_size % self.stride:
            raise ValueError(f"preset {self.name}: image_size {self.image_size} must be a multiple of {self.stride}")
        if len(self.backbone_widths) != len(self.backbone_depths):
            raise ValueError(f"preset {self.name}: backbone_widths and backbone_depths differ in length")

    @property
    def stride(self) -> int:
        """Side of a patch in pixels."""
        return 32 if self.deep_depth else 16


PRESETS = {
    p.name: p
    for p in (
        Preset(
            name="nano",
            backbone="mobile",
            backbone_widths=(16, 8, 16, 24, 48, 64),
            backbone_depths=(1, 1, 1, 2, 2, 2),
            width=96,
            heads=4,
            encoder_layers=2,
            decoder_layers=1,
            image_size=96,
            deep_width=96,
            deep_depth=1,
        ),
        # The smallest residual backbone: its widths are those of torchvision's bottleneck blocks.
        Preset(
            name="tiny",
            backbone="resnet",
            backbone_widths=(256, 512, 1024),
            backbone_depths=(1, 1, 1),
            width=96,
            heads=4,
            encoder_layers=2,
            decoder_layers=1,
            image_size=64,
        ),
        Preset(
            name="small",
            backbone="mobile",
            backbone_widths=(32, 16, 24, 40, 80, 112),
            backbone_depths=(1, 1, 3, 3, 4, 4),
            width=320,
            heads=10,
            encoder_layers=4,
            decoder_layers=2,
            image_size=160,
            deep_width=192,
            deep_depth=4,
        ),
        # The transformer of `small` behind the stem of ResNet-50.
        Preset(
            name="resnet50",
            backbone="resnet",
            backbone_widths=(256, 512, 1024, 2048),
            backbone_depths=(3, 4, 6, 3),
            width=320,
            heads=10,
            encoder_layers=4,
            decoder_layers=2,
            image_size=160,
        ),
        Preset(
            name="base",
            backbone="resnet",
            backbone_widths=(256, 512, 1024),
            backbone_depths=(3, 4, 6),
            width=512,
            heads=16,
            encoder_layers=6,
            decoder_layers=4,
            image_size=320,
        ),
        # The paper-size model: 400 x 400 pixels, patches of 16 x 16, 2048 channels, 16 heads.
        Preset(
            name="original",
            backbone="resnet",
            backbone_widths=(256, 512, 1024, 2048),
            backbone_depths=(3, 4, 6, 3),
            width=2048,
            heads=16,
            encoder_layers=6,
            decoder_layers=6,
            image_size=400,
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset of this name. Raises ValueError naming the known ones."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ValueError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}") from None
