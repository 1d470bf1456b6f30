"""Drawn photos of packs: a product label with text lines whose corners are exact."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from resformer.model.ocr.text_line import TextLine
from resformer.train.ocr.synthetic.fonts import Fonts, load_fonts

__all__ = ["PackPhoto", "available_fonts", "draw_pack"]

WIDTHS, HEIGHTS = (360, 480), (480, 640)  # of photos, pixels
FONT_SIZES = (16, 40)
MIN_FONT_SIZE = 10


@dataclass(frozen=True)
class PackPhoto:
    """A photo and the text lines on it."""

    image: Image.Image
    lines: tuple[TextLine, ...]


def available_fonts() -> Fonts | None:
    """The fonts of `make fonts`; None where they are not installed."""
    try:
        return load_fonts(held_out=False)
    except FileNotFoundError:
        return None


def draw_pack(texts: list[str], rng: np.random.Generator, fonts: Fonts | None = None) -> PackPhoto:
    """A pack in front of a plain background with the texts below each other.

    Args:
        fonts: to draw with; None = Pillow's own font.
    """
    size = int(rng.integers(*WIDTHS)), int(rng.integers(*HEIGHTS))
    background, pack, label = (tuple(int(v) for v in rng.integers(low, low + 60, 3)) for low in (180, 40, 195))
    image = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(image)
    margin = round(0.06 * size[0])
    draw.rounded_rectangle((margin, margin, size[0] - margin, size[1] - margin), margin, fill=pack)
    box = (2 * margin, 3 * margin, size[0] - 2 * margin, size[1] - 2 * margin)
    draw.rectangle(box, fill=label)
    ink = tuple(int(v) for v in rng.integers(0, 70, 3))
    pitch = (box[3] - box[1]) / len(texts)
    lines = []
    for i, text in enumerate(texts):
        font_size = min(int(rng.integers(*FONT_SIZES)), int(0.8 * pitch))
        font = _fitting_font(text, font_size, box[2] - box[0] - 8, rng, fonts)
        left, top, right, bottom = font.getbbox(text)
        x = box[0] + 4 + rng.uniform(0, max(0, box[2] - box[0] - 8 - (right - left)))
        y = box[1] + i * pitch + max(0, pitch - (bottom - top)) / 2
        draw.text((x - left, y - top), text, ink, font)
        x1, y1 = x + right - left, y + bottom - top
        lines.append(TextLine(((x, y), (x1, y), (x1, y1), (x, y1)), text, 1.0))
    return PackPhoto(image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.6))), tuple(lines))


def _fitting_font(
    text: str, size: int, width: float, rng: np.random.Generator, fonts: Fonts | None
) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of this size, or a smaller one in which the text is no wider than `width`."""
    picked = fonts.pick(text, rng) if fonts else None
    while True:
        font = picked.at(size) if picked else ImageFont.load_default(size)
        left, _, right, _ = font.getbbox(text)
        if right - left <= width or size <= MIN_FONT_SIZE:
            return font
        size -= 1
