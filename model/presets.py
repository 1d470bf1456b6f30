"""Sizes of the Resformer."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Shape of one network.

    Attributes:
        image_size: side of the letterboxed square input in pixels; a multiple of the patch.
        stem: `mobile` (inverted residuals, shaped as EfficientNet-Lite0 so that its packaged weights can
            start them) or `resnet` (bottleneck residuals).
        stem_widths: channels after each stage of a `mobile` stem; stages per `resnet` layer otherwise.
        stem_depths: blocks of each stage.
        patch: side of a patch on the stem's stride-16 map; one patch is one token.
    """

    name: str
    stem: Literal["mobile", "resnet"]
    stem_widths: tuple[int, ...]
    stem_depths: tuple[int, ...]
    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    image_size: int = 384
    patch: int = 1
    max_tokens: int = 64
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width % (4 * self.heads):
            raise ValueError(f"preset {self.name}: width {self.width} must be a multiple of 4 x {self.heads} heads")
        if self.image_size % (16 * self.patch):
            raise ValueError(
                f"preset {self.name}: image_size {self.image_size} must be a multiple of {16 * self.patch}"
            )
        if len(self.stem_widths) != len(self.stem_depths):
            raise ValueError(f"preset {self.name}: stem_widths and stem_depths differ in length")


# The first width of a `mobile` stem is its stem convolution's.
PRESETS = {
    p.name: p
    for p in (
        Preset(
            name="nano",
            stem="mobile",
            stem_widths=(16, 8, 16, 24, 48, 64),
            stem_depths=(1, 1, 1, 2, 2, 2),
            width=192,
            heads=6,
            encoder_layers=3,
            decoder_layers=2,
            image_size=256,
            patch=2,
        ),
        Preset(
            name="small",
            stem="mobile",
            stem_widths=(32, 16, 24, 40, 80, 112),
            stem_depths=(1, 1, 2, 2, 3, 3),
            width=320,
            heads=10,
            encoder_layers=5,
            decoder_layers=3,
            patch=2,
        ),
        Preset(
            name="base",
            stem="resnet",
            stem_widths=(256, 512, 1024),
            stem_depths=(3, 4, 6),
            width=512,
            heads=16,
            encoder_layers=6,
            decoder_layers=4,
        ),
        # The paper-size model: 400 x 400 pixels, patches of 16 x 16, 2048 channels, 16 heads, 64 tokens.
        Preset(
            name="original",
            stem="resnet",
            stem_widths=(256, 512, 1024, 2048),
            stem_depths=(3, 4, 6, 3),
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
