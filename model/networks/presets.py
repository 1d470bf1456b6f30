"""Sizes of the Resformer."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Shape of one network.

    Attributes:
        width, heads, encoder_layers, decoder_layers: of the part that answers quantities.
        image_size: side of the letterboxed square input of the catalogue part in pixels; a multiple of `stride`.
        stem: `mobile` (inverted residuals, shaped as EfficientNet-Lite1 or Lite2 so that packaged weights can
            start them) or `resnet` (bottleneck residuals).
        stem_widths: channels after each stage of a `mobile` stem; stages per `resnet` layer otherwise.
        stem_depths: blocks of each stage.
        deep_width, deep_depth: channels and blocks of a stage at stride 32; no blocks leave the stem's stride 16.
        catalogue_width, catalogue_heads, catalogue_layers, catalogue_expansion: of the part that answers all else;
            layers of its encoder and of its decoder.
    """

    name: str
    stem: Literal["mobile", "resnet"]
    stem_widths: tuple[int, ...]
    stem_depths: tuple[int, ...]
    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    image_size: int
    deep_width: int = 0
    deep_depth: int = 0
    catalogue_width: int
    catalogue_heads: int
    catalogue_layers: tuple[int, int]
    catalogue_expansion: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        parts = (("width", self.width, self.heads), ("catalogue_width", self.catalogue_width, self.catalogue_heads))
        for name, width, heads in parts:
            if width % (4 * heads):
                raise ValueError(f"preset {self.name}: {name} {width} must be a multiple of 4 x {heads} heads")
        if self.image_size % self.stride:
            raise ValueError(f"preset {self.name}: image_size {self.image_size} must be a multiple of {self.stride}")
        if len(self.stem_widths) != len(self.stem_depths):
            raise ValueError(f"preset {self.name}: stem_widths and stem_depths differ in length")

    @property
    def stride(self) -> int:
        """Side of a patch in pixels."""
        return 32 if self.deep_depth else 16


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
            image_size=96,
            deep_width=96,
            deep_depth=1,
            catalogue_width=96,
            catalogue_heads=4,
            catalogue_layers=(1, 1),
        ),
        Preset(
            name="small",
            stem="mobile",
            stem_widths=(32, 16, 24, 40, 80, 112),
            stem_depths=(1, 1, 3, 3, 4, 4),
            width=320,
            heads=10,
            encoder_layers=5,
            decoder_layers=3,
            image_size=160,
            deep_width=192,
            deep_depth=4,
            catalogue_width=160,
            catalogue_heads=4,
            catalogue_layers=(1, 2),
        ),
        # Teaches small what products are; too large to ship beside the part that answers quantities.
        Preset(
            name="teacher",
            stem="mobile",
            stem_widths=(32, 16, 24, 48, 88, 120),
            stem_depths=(1, 1, 3, 3, 4, 4),
            width=320,
            heads=10,
            encoder_layers=5,
            decoder_layers=3,
            image_size=192,
            deep_width=208,
            deep_depth=5,
            catalogue_width=256,
            catalogue_heads=8,
            catalogue_layers=(1, 2),
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
            image_size=320,
            catalogue_width=320,
            catalogue_heads=10,
            catalogue_layers=(2, 2),
            catalogue_expansion=4,
        ),
        # The paper-size model: 400 x 400 pixels, patches of 16 x 16, 2048 channels, 16 heads.
        Preset(
            name="original",
            stem="resnet",
            stem_widths=(256, 512, 1024, 2048),
            stem_depths=(3, 4, 6, 3),
            width=512,
            heads=16,
            encoder_layers=6,
            decoder_layers=4,
            image_size=400,
            catalogue_width=2048,
            catalogue_heads=16,
            catalogue_layers=(6, 6),
            catalogue_expansion=4,
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset of this name. Raises ValueError naming the known ones."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ValueError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}") from None
