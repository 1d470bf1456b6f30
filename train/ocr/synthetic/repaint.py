"""Replacement of the text on a photo by another text in the same colour."""

import cv2
import numpy as np

from resformer.train.ocr.synthetic.backgrounds import MIN_CONTRAST, paint
from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.text_mask import draw_text_mask

__all__ = ["repaint"]

CAP_FRACTION = 0.68  # height of the capitals, of the height of a detected line, which has a margin
MIN_CAP_HEIGHT = 5.0  # pixels
ERASED_MARGIN = 0.12  # of a line's height, erased beyond its corners, which may cut text off
MAX_BLUR = 1.5  # standard deviation, pixels: text on photos has soft edges
TEXT_FRACTIONS = (0.02, 0.6)  # of the pixels of a line, that its text covers


def repaint(
    pixels: np.ndarray, corners: np.ndarray, text: str, fonts: Fonts, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Replaces the text of an upright line.

    Args:
        pixels: uint8 (H, W, 3), the line with its surroundings.
        corners: float (4, 2), the line's, top left first.

    Returns:
        The pixels, and the corners of the new text. None: the line has too little contrast, or the text would become
        too small.
    """
    (x0, y0), (x1, y1) = corners[0], corners[2]
    height, width = y1 - y0, x1 - x0
    font = fonts.pick(text, rng)
    cap_height = CAP_FRACTION * height
    text_width = font.at(32).getlength(text) / font.cap_height(32) * cap_height
    cap_height *= min(1.0, width / max(text_width, 1.0))
    if cap_height < MIN_CAP_HEIGHT:
        return None
    erased = _erase_text(pixels, corners)
    if erased is None:
        return None
    clean, color = erased
    mask = draw_text_mask(text, font, cap_height, rng, plain=True)
    if (blur := rng.uniform(0, min(MAX_BLUR, 0.06 * cap_height))) > 0.3:
        mask = cv2.GaussianBlur(mask, (0, 0), blur)
    x = round(x0 + rng.uniform(0, 1) * max(0.0, width - mask.shape[1]))
    y = round((y0 + y1 - mask.shape[0]) / 2)
    paint(clean, mask, x, y, color)
    margin = (height - CAP_FRACTION * height) / 2
    left, right = x - margin, x + mask.shape[1] + margin
    top, bottom = y - margin, y + mask.shape[0] + margin
    new_corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return np.clip(clean, 0, 255).astype(np.uint8), new_corners


def _erase_text(pixels: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The pixels without the text, float32 (H, W, 3), and its colour, float32 (3,); None: the contrast is too low."""
    (x0, y0), (x1, y1) = corners[0], corners[2]
    margin = ERASED_MARGIN * (y1 - y0)
    rows = slice(max(0, round(y0 - margin)), round(y1 + margin))
    columns = slice(max(0, round(x0 - margin)), round(x1 + margin))
    region = pixels[rows, columns]
    grey = cv2.cvtColor(np.ascontiguousarray(region), cv2.COLOR_RGB2GRAY)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    lighter = grey > threshold
    # Most of the frame around a line is background.
    frame = np.concatenate([lighter[0], lighter[-1], lighter[:, 0], lighter[:, -1]]).mean()
    is_text = ~lighter if frame > 0.5 else lighter
    if not TEXT_FRACTIONS[0] < is_text.mean() < TEXT_FRACTIONS[1]:
        return None
    if abs(region[is_text].mean() - region[~is_text].mean()) < MIN_CONTRAST:
        return None
    radius = max(1, round(0.08 * (y1 - y0)))
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    hole = np.zeros(pixels.shape[:2], np.uint8)
    hole[rows, columns] = cv2.dilate(is_text.astype(np.uint8), kernel)
    clean = cv2.inpaint(np.ascontiguousarray(pixels), hole, 3, cv2.INPAINT_TELEA)
    return clean.astype(np.float32), np.median(region[is_text], axis=0).astype(np.float32)
