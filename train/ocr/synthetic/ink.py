"""One line of print as ink."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resformer.train.ocr.synthetic.fonts import Font

__all__ = ["draw_ink"]

SIZES = (26, 44)  # pixels that glyphs are drawn with before they are made smaller, as a camera does it
DOTTED, CURVED, SPACED = 0.04, 0.06, 0.12  # shares of lines
WIDEST = 0.4  # space between the letters of a spaced line, of the font's size, at most
FAINTEST = 0.6  # ink where there is most of it
WAVE = 0.25  # a curved line's rise, of its height, at most


def draw_ink(text: str, font: Font, height: float, rng: np.random.Generator, *, plain: bool = False) -> np.ndarray:
    """A mask of the text, float32 (H, W), 0 to 1, whose sides touch the ink.

    Args:
        height: of the capitals and digits; what goes below the line comes on top.
        plain: neither dotted, curved nor spaced.
    """
    size = SIZES[0] if height < SIZES[0] / 2 else SIZES[1]
    face = font.at(size)
    spacing = size * rng.uniform(0, WIDEST) if not plain and rng.random() < SPACED else 0.0
    mask = _printed(text, face, spacing)
    scale = height / font.capitals(size)
    stretch = float(np.exp(rng.normal(0, 0.1)))
    if not plain and rng.random() < DOTTED:
        mask = _dotted(mask, max(2, size // 9))
    shape = (max(1, round(mask.shape[1] * scale * stretch)), max(2, round(mask.shape[0] * scale)))
    mask = cv2.resize(mask, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    # Hairlines would vanish in small print.
    mask = np.minimum(mask * max(1.0, FAINTEST / max(float(mask.max()), 1e-3)), 1.0)
    if not plain and rng.random() < CURVED:
        mask = _curved(mask, WAVE * shape[1] / max(1, len(text)) * rng.uniform(-1, 1))
    return mask


def _printed(text: str, face: ImageFont.FreeTypeFont, spacing: float) -> np.ndarray:
    """The text as the font prints it, float32, 0 to 1, with pixels of space between its letters."""
    left, top, right, bottom = face.getbbox(text)
    wider = spacing * (len(text) - 1)
    image = Image.new("L", (max(1, round(right - left + wider)), max(1, round(bottom - top))))
    draw = ImageDraw.Draw(image)
    if spacing:
        for i, letter in enumerate(text):
            x = face.getlength(text[: i + 1]) - face.getlength(letter)  # with what it moves towards the letter before
            draw.text((x + i * spacing - left, -top), letter, fill=255, font=face)
    else:
        draw.text((-left, -top), text, fill=255, font=face)
    return np.asarray(image, np.float32) / 255


def _dotted(mask: np.ndarray, pitch: int) -> np.ndarray:
    """As a needle printer does it."""
    height, width = (max(1, side // pitch) for side in mask.shape)
    dots = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) > 0.4
    dot = cv2.circle(np.zeros((4 * pitch, 4 * pitch), np.float32), (2 * pitch, 2 * pitch), int(1.8 * pitch), 1.0, -1)
    dot = cv2.resize(dot, (pitch, pitch), interpolation=cv2.INTER_AREA)
    return np.kron(dots, dot).astype(np.float32)


def _curved(mask: np.ndarray, rise: float) -> np.ndarray:
    """On an arch that rises by so many pixels in its middle, downward where negative."""
    width = mask.shape[1]
    room = int(np.ceil(abs(rise)))
    padded = np.pad(mask, ((room, room), (0, 0)))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(len(padded), dtype=np.float32))
    moved = (y + rise * (np.sin(np.pi * (x + 0.5) / width) - 0.5)).astype(np.float32)
    curved = cv2.remap(padded, x, moved, cv2.INTER_LINEAR)
    rows = np.flatnonzero(curved.max(axis=1) > 0.1)
    return curved[rows[0] : rows[-1] + 1] if len(rows) else mask
