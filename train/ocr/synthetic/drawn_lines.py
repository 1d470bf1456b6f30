"""Strips of one line of print, cut as the reader cuts them."""

from dataclasses import dataclass

import numpy as np

from resformer.model.ocr.line_crop import crop_line
from resformer.train.ocr.synthetic.camera import photographed
from resformer.train.ocr.synthetic.fonts import load_fonts
from resformer.train.ocr.synthetic.ink import draw_ink
from resformer.train.ocr.synthetic.surfaces import colours, paint, surface
from resformer.train.ocr.synthetic.texts import Texts

__all__ = ["DrawnStrip", "StripPress", "jittered"]

HEIGHTS = (6.0, 40.0)  # of the capitals, pixels, all scales equally often
LONGEST = 40  # characters
MARGIN = (0.05, 0.35)  # around the ink, of the capitals' height; readers of print leave as much
NEIGHBOUR = 0.3  # share of strips with print above or below


@dataclass(frozen=True)
class DrawnStrip:
    """A strip, uint8 (height, W, 3), what it says, and how high its capitals were on the photo, in pixels."""

    pixels: np.ndarray
    text: str
    text_height: float


class StripPress:
    """Draws strips, each from a generator's numbers alone.

    Args:
        height: of the strips in pixels.
        held_out: with the fonts that training never sees.
        glyphs: range of the capitals' height on the photo, pixels.
    """

    def __init__(self, texts: Texts, height: int, *, held_out: bool = False, glyphs: tuple[float, float] = HEIGHTS):
        self.texts = texts
        self._height = height
        self.fonts = load_fonts(held_out)
        self._glyphs = np.log(glyphs)

    def strip(self, rng: np.random.Generator) -> DrawnStrip:
        """Any line."""
        return self.strip_of(self.texts.line(rng).strip()[:LONGEST].strip(), rng)

    def strip_of(self, text: str, rng: np.random.Generator) -> DrawnStrip:
        """A strip that says this."""
        text_height = float(np.exp(rng.uniform(*self._glyphs)))
        mask = draw_ink(text, self.fonts.pick(text, rng), text_height, rng)
        ground, ink = colours(rng)
        room = int(2 + text_height)
        image = surface(mask.shape[0] + 2 * room, mask.shape[1] + 2 * room, ground, rng)
        if rng.random() < NEIGHBOUR:
            other = self.texts.words(rng)
            beside = draw_ink(other, self.fonts.pick(other, rng), text_height, rng, plain=True)
            gap = int(text_height * rng.uniform(0.3, 0.8)) + 1
            above = room - gap - beside.shape[0]
            paint(image, beside, room, above if rng.random() < 0.5 else room + mask.shape[0] + gap, ink)
        paint(image, mask, room, room, ink)
        photo = photographed(image, rng, blur=min(1.5, 0.08 * text_height))
        margin = text_height * rng.uniform(*MARGIN)
        x0, y0 = room - margin, room - margin
        x1, y1 = room + mask.shape[1] + margin, room + mask.shape[0] + margin
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        return DrawnStrip(crop_line(photo, jittered(corners, rng), self._height), text, text_height)


def jittered(corners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Corners (4, 2) as a reader finds them: a little too high or low, too tall or flat, longer or shorter, turned."""
    a, b, c, d = corners
    along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
    width, height = max(float(np.hypot(*along)), 1e-6), max(float(np.hypot(*down)), 1e-6)
    along, middle = along / width, corners.mean(axis=0)
    # An end may lose a little more than the margin, never a character.
    begin = -width / 2 + height * rng.uniform(-0.3, 0.05)
    end = width / 2 + height * rng.uniform(-0.05, 0.3)
    half = height / 2 * float(np.exp(rng.normal(0, 0.09)))
    middle = middle + down * rng.normal(0, 0.05)
    lean = np.clip(rng.normal(0, 0.012), -0.15 * height / width, 0.15 * height / width)
    along = np.array([along[0] - lean * along[1], along[1] + lean * along[0]])
    half_down = half * np.array([-along[1], along[0]]) * np.sign(along[0] * down[1] - along[1] * down[0] or 1.0)
    left, right = middle + along * begin, middle + along * end
    return np.stack([left - half_down, right - half_down, right + half_down, left + half_down])
