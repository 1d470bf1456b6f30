"""Photos at the sizes that networks take."""

import cv2
import numpy as np
from PIL import Image

__all__ = ["letterbox", "resize_for_detector"]

SIDE_MULTIPLE = 32  # sides are multiples of it: few sizes, each of which ONNX Runtime prepares once
MAX_ENLARGEMENT = 2.0
REDUCING_GAP = 2.0
BAND_PIXELS = 1_000_000
FILL = 127  # grey level of the letterbox


def letterbox(image: np.ndarray, side: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Fits a photo into the top left of a grey square.

    Args:
        image: uint8 (H, W, 3).

    Returns:
        uint8 (3, side, side), and the fractions of the square's width and height that the photo covers.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced, box = _reduced(image, size)
    resized = np.asarray(reduced.resize(size, Image.Resampling.BILINEAR, box))
    square = np.full((side, side, 3), FILL, dtype=np.uint8)
    square[: size[1], : size[0]] = resized
    return square.transpose(2, 0, 1), (size[0] / side, size[1] / side)


def _reduced(image: np.ndarray, size: tuple[int, int]) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """A photo made smaller by whole factors, still REDUCING_GAP times `size`, and its bounds, which may end in a pixel.

    This is what Pillow's `resize` does with a `reducing_gap`, without another copy of the whole photo.
    """
    height, width = image.shape[:2]
    factors = max(1, int(width / size[0] / REDUCING_GAP)), max(1, int(height / size[1] / REDUCING_GAP))
    rows = factors[1] * max(1, BAND_PIXELS // (width * factors[1]))
    bands = [np.asarray(Image.fromarray(image[y : y + rows]).reduce(factors)) for y in range(0, height, rows)]
    return Image.fromarray(np.concatenate(bands)), (0, 0, width / factors[0], height / factors[1])


def resize_for_detector(image: np.ndarray, max_side: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Resizes a photo so that its longer side has about `max_side` pixels and both are multiples of SIDE_MULTIPLE.

    Args:
        image: uint8 (H, W, 3).

    Returns:
        uint8 (H', W', 3), and the pixels of the photo that one of its pixels stands for, in x and y.
    """
    height, width = image.shape[:2]
    scale = min(max_side / max(height, width), MAX_ENLARGEMENT)
    size = [max(SIDE_MULTIPLE, round(side * scale / SIDE_MULTIPLE) * SIDE_MULTIPLE) for side in (width, height)]
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return resized, (width / size[0], height / size[1])
