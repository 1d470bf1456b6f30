"""Text on a photo is replaced."""

import cv2
import numpy as np
import pytest

from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.repaint import repaint

CORNERS = np.array([[28, 14], [152, 14], [152, 46], [28, 46]], float)


@pytest.fixture
def photo() -> np.ndarray:
    pixels = np.full((60, 240, 3), (200, 220, 240), np.uint8)
    cv2.putText(pixels, "GOLDEN", (30, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (120, 20, 20), 3, cv2.LINE_AA)
    return pixels


def test_new_text_has_the_colour_of_the_old(fonts: Fonts, photo: np.ndarray) -> None:
    repainted = repaint(photo, CORNERS, "5 g", fonts, np.random.default_rng(0))
    assert repainted is not None
    pixels, corners = repainted
    (x0, y0), (x1, y1) = corners[0].round().astype(int), corners[2].round().astype(int)
    assert x0 > 20 and x1 < 160
    inside = pixels[y0:y1, x0:x1]
    darkest = inside.reshape(-1, 3)[inside.sum(axis=2).argmin()].astype(float)
    assert darkest == pytest.approx([120, 20, 20], abs=60)
    outside = pixels.copy()
    outside[y0:y1, x0:x1] = 255
    assert outside.min() > 150


def test_lines_that_cannot_be_repainted_are_refused(fonts: Fonts, photo: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    assert repaint(np.full_like(photo, 99), CORNERS, "5 g", fonts, rng) is None
    assert repaint(photo, CORNERS, "5 gram of something that is much too long for this", fonts, rng) is None
