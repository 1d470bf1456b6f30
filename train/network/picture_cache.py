"""Letterboxed photos in memory."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox
from resformer.train.network.labelled_photos import PhotoFile

__all__ = ["GREY", "PictureCache", "load_picture"]

GREY = 127  # of a picture that is not there


def load_picture(photo: PhotoFile, side: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Pixels and extent of a letterboxed photo, see letterbox. Raises ValueError: it cannot be decoded."""
    try:
        return letterbox(decode_photo(photo.read_bytes()), side)
    except ResformerError as error:
        raise ValueError(f"{photo}: {error}") from error


class PictureCache:
    """Letterboxed photos, decoded once and kept on a device; one grey picture where there are none.

    Args:
        side: of the letterbox, pixels.

    Attributes:
        extent: (photos, 2), see letterbox.

    Raises:
        ValueError: a photo cannot be decoded.
    """

    def __init__(self, photos: Sequence[PhotoFile], side: int, device: torch.device | str = "cpu"):
        count = max(1, len(photos))
        pixels = torch.full((count, 3, side, side), GREY, dtype=torch.uint8)
        extent = torch.ones(count, 2)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pictures = pool.map(partial(load_picture, side=side), photos)
            for i, (box, covered) in enumerate(tqdm(pictures, "photos", len(photos), leave=False, disable=None)):
                pixels[i], extent[i] = torch.from_numpy(box), torch.tensor(covered)
        self._pixels = pixels.to(device)
        self.extent = extent.to(device)

    def __len__(self) -> int:
        return len(self.extent)

    def drop_pixels(self) -> None:
        """Frees the memory of the pixels; the extents stay."""
        self._pixels = self._pixels[:0].clone()

    def __call__(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels, uint8 (P, 3, side, side), and extent (P, 2) of the photos with these indices on the device."""
        return self._pixels[indices], self.extent[indices]
