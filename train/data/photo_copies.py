"""Copies of photos as shops pass them on: saved again, or a little smaller."""

from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType

import numpy as np
from PIL import Image

from resformer.model.images.loading import decode_photo

__all__ = ["PHOTO_COPIES"]


def _saved(photo: np.ndarray, image_format: str, quality: int) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(photo).save(file, image_format, quality=quality)
    return decode_photo(file.getvalue())


def _scaled(photo: np.ndarray, factor: float) -> np.ndarray:
    height, width = (max(1, round(side * factor)) for side in photo.shape[:2])
    return np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.LANCZOS))


PHOTO_COPIES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "WebP of quality 80": lambda photo: _saved(photo, "WEBP", 80),
        "JPEG of quality 75": lambda photo: _saved(photo, "JPEG", 75),
        "scaled to 90 %": lambda photo: _scaled(photo, 0.9),
    }
)
"""How a copy is made of a photo, uint8 RGB (height, width, 3); its answers should stay the same."""
