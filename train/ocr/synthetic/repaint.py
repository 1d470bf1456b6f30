"""Real print erased, and other print drawn in its place and colour."""

import cv2
import numpy as np

from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.ink import draw_ink
from resformer.train.ocr.synthetic.surfaces import LEAST_CONTRAST, paint

__all__ = ["repainted"]

CAPITALS = 0.68  # of a line's height, what its capitals take; readers leave a margin around them
SMALLEST = 5.0  # pixels of capitals
AROUND = 0.12  # of a line's height, erased beyond it: what a reader's box cuts off
WAVES = 1.5  # pixels of blur, at most: real print has soft edges


def repainted(
    pixels: np.ndarray, corners: np.ndarray, text: str, fonts: Fonts, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """A cut of a photo with a level line replaced by another text.

    Args:
        pixels: uint8 (H, W, 3), the line with its surroundings.
        corners: float (4, 2), the line's, top left first.

    Returns: the pixels, and the corners of what was drawn; None where print and ground are too much alike, or the text
        would become too small.
    """
    (x0, y0), (x1, y1) = corners[0], corners[2]
    height, width = y1 - y0, x1 - x0
    font = fonts.pick(text, rng)
    capitals = CAPITALS * height
    length = font.at(32).getlength(text) / font.capitals(32) * capitals
    capitals *= min(1.0, width / max(length, 1.0))
    if capitals < SMALLEST:
        return None
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    rows = slice(max(0, round(y0 - AROUND * height)), round(y1 + AROUND * height))
    columns = slice(max(0, round(x0 - AROUND * height)), round(x1 + AROUND * height))
    level, _ = cv2.threshold(np.ascontiguousarray(grey[rows, columns]), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    above = grey[rows, columns] > level
    # Of the two shades the ground has the frame around the line, as a rule.
    frame = np.concatenate([above[0], above[-1], above[:, 0], above[:, -1]]).mean()
    inked = ~above if frame > 0.5 else above
    part = pixels[rows, columns]
    if not 0.02 < inked.mean() < 0.6 or abs(part[inked].mean() - part[~inked].mean()) < LEAST_CONTRAST:
        return None
    ink = np.median(part[inked], axis=0).astype(np.float32)
    erased = np.zeros(grey.shape, np.uint8)
    reach = max(1, round(0.08 * height))
    erased[rows, columns] = cv2.dilate(inked.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    clean = cv2.inpaint(np.ascontiguousarray(pixels), erased, 3, cv2.INPAINT_TELEA).astype(np.float32)
    mask = draw_ink(text, font, capitals, rng, plain=True)
    if (softness := rng.uniform(0, min(WAVES, 0.06 * capitals))) > 0.3:
        mask = cv2.GaussianBlur(mask, (0, 0), softness)
    x = round(x0 + rng.uniform(0, 1) * max(0.0, width - mask.shape[1]))
    y = round((y0 + y1 - mask.shape[0]) / 2)
    paint(clean, mask, x, y, ink)
    margin = (height - CAPITALS * height) / 2
    left, right = x - margin, x + mask.shape[1] + margin
    top, bottom = y - margin, y + mask.shape[0] + margin
    drawn = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return np.clip(clean, 0, 255).astype(np.uint8), drawn
