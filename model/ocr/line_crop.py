"""Strips of pixels cut along the lines of a photo."""

import cv2
import numpy as np

__all__ = ["CUT_HEIGHT", "cut"]

CUT_HEIGHT = 48  # pixels, as PP-OCR's recognisers take strips


def cut(image: np.ndarray, corners: np.ndarray, height: int = CUT_HEIGHT) -> np.ndarray:
    """The pixels of a strip, uint8 (height, W, 3), turned to be read.

    Args:
        image: uint8 (H, W, 3).
    """
    a, b, _, d = corners.astype(np.float32)
    tall = max(float(np.linalg.norm(d - a)), 1e-3)
    width = max(1, round(float(np.linalg.norm(b - a)) * height / tall))
    # Large print is sampled twice as finely and then averaged, or it would flicker.
    fine = 2 if tall > 2 * height else 1
    to = np.array([[0, 0], [width * fine, 0], [0, height * fine]], np.float32)
    # Corners are places between pixels; to OpenCV whole numbers are the middles of pixels.
    turn = cv2.getAffineTransform(np.stack([a, b, d]) - 0.5, to - 0.5)
    strip = cv2.warpAffine(
        image,
        turn,
        (width * fine, height * fine),
        flags=cv2.INTER_CUBIC if tall < height else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(strip, (width, height), interpolation=cv2.INTER_AREA) if fine > 1 else strip
