"""Files with several frames or pages: which one is the photo."""

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from resformer.model.errors import ImageTooLarge
from resformer.model.images.containers.container import MAX_FRAMES

__all__ = ["MAX_SIDE", "best_frame"]

MAX_SIDE = 65_535
"""Pixels, as of a JPEG file: a longer strip costs more than its pixels."""


MIN_GAIN = 1.05  # a later frame has so many times more detail; the first of frames that are alike is taken
# Pages whose sides differ by a few pixels are of one size.
MIN_AREA_GAIN = 1.1
DETAIL_SIDE = 1024  # pixels of the longer side at which frames are compared
SUBFILE_TYPE, MASK = 254, 4  # a TIFF page that is the transparency of another one


def best_frame(
    image: Image.Image, pixels_of: Callable[[Image.Image], np.ndarray], max_pixels: int
) -> tuple[np.ndarray, int, int]:
    """The largest of the first MAX_FRAMES frames, of those of one size that with the most detail.

    Frames that have more than `max_pixels` pixels together are not looked at, nor what follows a damaged one.

    Args:
        image: an opened file at its first frame.
        pixels_of: decodes the current frame, uint8 RGB (H, W, 3).

    Returns:
        Its pixels, its position from 1, and the number of frames.

    Raises:
        ImageTooLarge: a frame after the first has more than `max_pixels` pixels, or a side of more than MAX_SIDE.
        Exception: what `pixels_of` raises for the first frame.
    """
    best = pixels_of(image)
    count = _count(image)
    position, detail, decoded = 1, -1.0, image.width * image.height
    for i in range(1, min(count, _max_frames(image, max_pixels))):
        try:
            image.seek(i)
            width, height = image.size
            if width * height > max_pixels or max(width, height) > MAX_SIDE:
                raise ImageTooLarge(
                    f"frame {i + 1} of the photo has {width} x {height} pixels, more than the {max_pixels} taken here "
                    f"or than {MAX_SIDE} on a side; send it smaller"
                )
            area = best.shape[0] * best.shape[1]
            if width * height * MIN_AREA_GAIN < area or _is_mask(image):
                continue
            if decoded + width * height > max_pixels:
                break
            pixels = pixels_of(image)
        except ImageTooLarge:
            raise
        except Exception:  # The frames before it are usable, and plugins raise all kinds of exceptions.
            break
        decoded += width * height
        detail = _detail(best) if detail < 0 else detail
        new_detail = _detail(pixels)
        if width * height > MIN_AREA_GAIN * area or new_detail > MIN_GAIN * detail:
            best, position, detail = pixels, i + 1, new_detail
    return best, position, count


def _count(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:
        return 1


def _max_frames(image: Image.Image, max_pixels: int) -> int:
    # Formats other than TIFF draw each frame on the one before it: going there takes as long as decoding.
    if image.format == "TIFF":
        return MAX_FRAMES
    return min(MAX_FRAMES, max_pixels // (image.width * image.height))


def _is_mask(image: Image.Image) -> bool:
    return bool(getattr(image, "tag_v2", {}).get(SUBFILE_TYPE, 0) & MASK)


def _detail(pixels: np.ndarray) -> float:
    """How strong edges are on average: 0 of a blank frame, low of a blurred or faded one."""
    height, width = pixels.shape[:2]
    scale = DETAIL_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean())
