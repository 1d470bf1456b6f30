"""Letterboxed photos in memory."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox
from resformer.train.attributes.labelled_products import LabelledProduct

__all__ = ["PictureCache"]


class PictureCache:
    """Letterboxed photos of products, decoded once and kept on a device.

    Args:
        side: of the letterbox, pixels.

    Raises:
        ValueError: a photo cannot be decoded.
    """

    def __init__(self, products: Sequence[LabelledProduct], side: int, device: torch.device | str = "cpu"):
        self._side = side
        pixels = torch.zeros(len(products), 3, side, side, dtype=torch.uint8)
        extent = torch.zeros(len(products), 2)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pictures = pool.map(self._load, [product.photo for product in products])
            for i, (box, covered) in enumerate(tqdm(pictures, "photos", len(products), leave=False, disable=None)):
                pixels[i], extent[i] = torch.from_numpy(box), torch.tensor(covered)
        self._pixels = pixels.to(device)
        self._extent = extent.to(device)

    def _load(self, photo: Path) -> tuple[np.ndarray, tuple[float, float]]:
        try:
            return letterbox(decode_photo(photo.read_bytes()), self._side)
        except ResformerError as error:
            raise ValueError(f"{photo}: {error}") from error

    def __len__(self) -> int:
        return len(self._pixels)

    def __call__(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels, uint8 (P, 3, side, side), and extent (P, 2) of the products with these indices on the device."""
        return self._pixels[indices], self._extent[indices]
