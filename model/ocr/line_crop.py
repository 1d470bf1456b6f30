"""Line crops: the pixels along a text line, turned to be read."""

import cv2
import numpy as np

from resformer.model.ocr.line_limits import MAX_LINE_ASPECT
from resformer.model.ocr.line_shape import LineShape

__all__ = ["PPOCR_CROP_HEIGHT", "crop_line", "ppocr_crop"]

PPOCR_CROP_HEIGHT = 48  # pixels, as PP-OCR's recognizers take crops


def crop_line(image: np.ndarray, corners: np.ndarray, height: int) -> np.ndarray:
    """Crops a line, uint8 (height, W, 3); W is at most MAX_LINE_ASPECT times the height.

    Args:
        image: uint8 (H, W, 3).
        corners: float (4, 2), pixels of the image; top left first as the line is read, clockwise.
    """
    a, b, _, d = corners.astype(np.float32)
    line_height = max(float(np.linalg.norm(d - a)), 1e-3)
    width = max(1, round(min(float(np.linalg.norm(b - a)) / line_height, MAX_LINE_ASPECT) * height))
    # Large text is sampled twice as finely and then averaged, against aliasing.
    oversampling = 2 if line_height > 2 * height else 1
    size = (width * oversampling, height * oversampling)
    target = np.array([[0, 0], [size[0], 0], [0, size[1]]], np.float32)
    # Corners lie between pixels; to OpenCV whole numbers are the middles of pixels.
    transform = cv2.getAffineTransform(np.stack([a, b, d]) - 0.5, target - 0.5)
    crop = cv2.warpAffine(
        image,
        transform,
        size,
        flags=cv2.INTER_CUBIC if line_height < height else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA) if oversampling > 1 else crop


def ppocr_crop(image: np.ndarray, line: LineShape) -> np.ndarray:
    """A line of an RGB image as PP-OCR's recognizers take it, uint8 BGR (PPOCR_CROP_HEIGHT, W, 3)."""
    return np.ascontiguousarray(crop_line(image, line.corners, PPOCR_CROP_HEIGHT)[:, :, ::-1])
