"""Decoded images of all modes to RGB, with little memory beside the image and its pixels."""

import numpy as np
from PIL import Image

from resformer.model.images.orientation import as_stored
from resformer.model.images.transparency import ground_of, on_ground

__all__ = ["rgb_pixels"]

BAND_PIXELS = 1_000_000
TURNED = (5, 6, 7, 8)  # orientations that swap width and height


def rgb_pixels(image: Image.Image, orientation: int = 1) -> np.ndarray:
    """The pixels of a loaded image, upright: uint8 RGB (H, W, 3), of transparent ones see ground_of.

    Args:
        orientation: as EXIF numbers it.
    """
    width, height = image.size
    pixels = np.empty((width, height, 3) if orientation in TURNED else (height, width, 3), np.uint8)
    stored = as_stored(pixels, orientation)
    white = _white(image)
    ground = ground_of(image) if image.has_transparency_data else None
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        band = image if rows >= height else image.crop((0, top, width, min(height, top + rows)))
        if white is not None:
            band = _eight_bits(band, white)
        if ground is not None:
            band = on_ground(band, ground)
        stored[top : top + rows] = np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
    return pixels


def _white(image: Image.Image) -> float | None:
    """The sample that is white of an image with grey samples of 16 or 32 bits, or floats; None of others.

    Files of 32 bits do not state it: the upper end of the smallest common range that holds all.
    """
    if image.mode.startswith("I;16"):
        return 65535.0
    if image.mode not in ("I", "F"):
        return None
    width, height = image.size
    rows = max(1, BAND_PIXELS // width)
    peak = max(
        float(_samples(image.crop((0, top, width, min(height, top + rows)))).max()) for top in range(0, height, rows)
    )
    return next((white for white in (1.0, 255.0, 65535.0) if peak <= white), max(peak, 2.0**31))


def _eight_bits(image: Image.Image, white: float) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return Image.fromarray((_samples(image).clip(0) * (255 / white)).round().astype(np.uint8))


def _samples(image: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(image).astype(np.float32), posinf=0, neginf=0)
