"""Photos at the sizes that networks take."""

import cv2
import numpy as np
from PIL import Image

__all__ = ["fitted", "letterbox"]

STRIDE = 32  # the sides of a photo are multiples of it: few sizes, each of which is prepared once
ENLARGED = 2.0  # at most


def letterbox(image: np.ndarray, side: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Fits a photo into the top left of a grey square.

    Args:
        image: uint8 (H, W, 3).

    Returns: uint8 (3, side, side), and the shares of the square's width and height that the photo covers.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    square = np.full((side, side, 3), 127, dtype=np.uint8)
    square[: size[1], : size[0]] = resized
    return square.transpose(2, 0, 1), (size[0] / side, size[1] / side)


def fitted(image: np.ndarray, longest: int) -> tuple[np.ndarray, tuple[float, float]]:
    """A photo (H, W, 3) at a size that the network takes, its longer side about `longest` pixels, and the pixels of the
    photo that one of its own stands for, in x and y."""
    height, width = image.shape[:2]
    scale = min(longest / max(height, width), ENLARGED)
    size = [max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in (width, height)]
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return resized, (width / size[0], height / size[1])
