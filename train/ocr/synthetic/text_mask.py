"""One line of text as a mask."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resformer.train.ocr.synthetic.fonts import Font

__all__ = ["draw_text_mask"]

FONT_SIZES = (26, 44)  # pixels that text is drawn with before it is resized
P_DOTTED, P_CURVED, P_SPACED = 0.04, 0.06, 0.12
MAX_SPACING = 0.4  # between the letters of a spaced line, of the font's size
MIN_PEAK = 0.6  # of a mask: thin strokes would vanish in small text
MAX_CURVE = 0.25  # how far a curved line rises, of the width of a character


def draw_text_mask(
    text: str, font: Font, cap_height: float, rng: np.random.Generator, *, plain: bool = False
) -> np.ndarray:
    """How much of each pixel the text covers, float32 (H, W), 0 to 1, without a margin.

    Args:
        cap_height: of capitals and digits, pixels; H is more where letters have descenders.
        plain: neither dotted, curved nor spaced.
    """
    size = FONT_SIZES[0] if cap_height < FONT_SIZES[0] / 2 else FONT_SIZES[1]
    face = font.at(size)
    spacing = size * rng.uniform(0, MAX_SPACING) if not plain and rng.random() < P_SPACED else 0.0
    mask = _draw(text, face, spacing)
    scale = cap_height / font.cap_height(size)
    stretch = float(np.exp(rng.normal(0, 0.1)))
    if not plain and rng.random() < P_DOTTED:
        mask = _to_dots(mask, max(2, size // 9))
    shape = (max(1, round(mask.shape[1] * scale * stretch)), max(2, round(mask.shape[0] * scale)))
    mask = cv2.resize(mask, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    mask = np.minimum(mask * max(1.0, MIN_PEAK / max(float(mask.max()), 1e-3)), 1.0)
    if not plain and rng.random() < P_CURVED:
        mask = _curve(mask, MAX_CURVE * shape[1] / max(1, len(text)) * rng.uniform(-1, 1))
    return mask


def _draw(text: str, face: ImageFont.FreeTypeFont, spacing: float) -> np.ndarray:
    """The text, float32 (H, W), 0 to 1, with pixels of additional space between its letters."""
    left, top, right, bottom = face.getbbox(text)
    extra = spacing * (len(text) - 1)
    image = Image.new("L", (max(1, round(right - left + extra)), max(1, round(bottom - top))))
    draw = ImageDraw.Draw(image)
    if spacing:
        for i, letter in enumerate(text):
            x = face.getlength(text[: i + 1]) - face.getlength(letter)  # includes the kerning
            draw.text((x + i * spacing - left, -top), letter, fill=255, font=face)
    else:
        draw.text((-left, -top), text, fill=255, font=face)
    return np.asarray(image, np.float32) / 255


def _to_dots(mask: np.ndarray, pitch: int) -> np.ndarray:
    """The mask as a dot-matrix printer prints it, with a dot every `pitch` pixels."""
    height, width = (max(1, side // pitch) for side in mask.shape)
    dots = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) > 0.4
    dot = cv2.circle(np.zeros((4 * pitch, 4 * pitch), np.float32), (2 * pitch, 2 * pitch), int(1.8 * pitch), 1.0, -1)
    dot = cv2.resize(dot, (pitch, pitch), interpolation=cv2.INTER_AREA)
    return np.kron(dots, dot).astype(np.float32)


def _curve(mask: np.ndarray, rise: float) -> np.ndarray:
    """The mask bent to an arch whose middle is `rise` pixels higher than its ends."""
    width = mask.shape[1]
    margin = int(np.ceil(abs(rise)))
    padded = np.pad(mask, ((margin, margin), (0, 0)))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(len(padded), dtype=np.float32))
    source_y = (y + rise * (np.sin(np.pi * (x + 0.5) / width) - 0.5)).astype(np.float32)
    curved = cv2.remap(padded, x, source_y, cv2.INTER_LINEAR)
    rows = np.flatnonzero(curved.max(axis=1) > 0.1)
    return curved[rows[0] : rows[-1] + 1] if len(rows) else mask
