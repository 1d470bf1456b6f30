"""Rendered line crops."""

import numpy as np

from resformer.model.ocr.line_crop import crop_line
from resformer.train.ocr.line_geometry import jitter_corners
from resformer.train.ocr.synthetic.backgrounds import draw_background, paint, pick_colors
from resformer.train.ocr.synthetic.camera import simulate_camera
from resformer.train.ocr.synthetic.fonts import load_fonts
from resformer.train.ocr.synthetic.text_generator import TextGenerator
from resformer.train.ocr.synthetic.text_mask import draw_text_mask

__all__ = ["LineRenderer"]

CAP_HEIGHTS = (6.0, 40.0)  # pixels
MARGINS = (0.05, 0.35)  # between text and corners, of the height of the capitals; as detectors leave it
P_NEIGHBOUR = 0.3  # of another line above or below


class LineRenderer:
    """Renders line crops, each from the numbers of a generator alone.

    Args:
        texts: of neighbouring lines.
        crop_height: pixels.
        held_out: with the held-out fonts.
        cap_heights: range of the height of capitals on the photo before it is cropped, pixels; its logarithm is
            uniform.
    """

    def __init__(
        self,
        texts: TextGenerator,
        crop_height: int,
        *,
        held_out: bool = False,
        cap_heights: tuple[float, float] = CAP_HEIGHTS,
    ):
        self.texts = texts
        self.fonts = load_fonts(held_out)
        self._crop_height = crop_height
        self._log_cap_heights = np.log(cap_heights)

    def render(self, text: str, rng: np.random.Generator) -> np.ndarray:
        """A crop of a photo of the text, uint8 (crop_height, W, 3)."""
        cap_height = float(np.exp(rng.uniform(*self._log_cap_heights)))
        mask = draw_text_mask(text, self.fonts.pick(text, rng), cap_height, rng)
        background, color = pick_colors(rng)
        border = int(2 + cap_height)
        height, width = mask.shape
        image = draw_background(height + 2 * border, width + 2 * border, background, rng)
        if rng.random() < P_NEIGHBOUR:
            neighbour = self.texts.words(rng)
            other = draw_text_mask(neighbour, self.fonts.pick(neighbour, rng), cap_height, rng, plain=True)
            gap = int(cap_height * rng.uniform(0.3, 0.8)) + 1
            above, below = border - gap - other.shape[0], border + height + gap
            paint(image, other, border, above if rng.random() < 0.5 else below, color)
        paint(image, mask, border, border, color)
        photo = simulate_camera(image, rng, max_blur=min(1.5, 0.08 * cap_height))
        margin = cap_height * rng.uniform(*MARGINS)
        start, right, bottom = border - margin, border + width + margin, border + height + margin
        corners = np.array([[start, start], [right, start], [right, bottom], [start, bottom]])
        return crop_line(photo, jitter_corners(corners, rng), self._crop_height)
