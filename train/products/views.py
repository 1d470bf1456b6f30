"""Patches of pictures that were looked at once, for training of what comes after them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from model.catalogue import Catalogue
from train.products.augment import augment
from train.products.batches import Pictures
from train.products.records import Product

__all__ = ["Views"]

TOGETHER = 48


class Views:
    """Patches of several random views of each product's picture.

    Args:
        part: looks at them, as it is now.
        side: of the views, pixels.
        count: how many there are of each picture.
    """

    def __init__(
        self, part: Catalogue, products: Sequence[Product], pictures: Pictures, side: int, count: int, seed: int
    ):
        part.eval()
        device = part.log_prior.device
        generator = torch.Generator().manual_seed(seed)
        self._patches: Tensor | None = None
        for start in tqdm(range(0, len(products), TOGETHER), desc="pictures", leave=False, disable=None):
            some = products[start : start + TOGETHER]
            pixels, visible = pictures(some)
            mirrored = torch.tensor([not product.texts for product in some])
            for view in range(count):
                seen = augment(pixels, visible, side, mirrored, generator).to(device)
                with torch.inference_mode():
                    patches = part.look(seen.contiguous(memory_format=torch.channels_last))
                if self._patches is None:
                    self._patches = torch.zeros(len(products), count, *patches.shape[1:], dtype=torch.float16)
                self._patches[start : start + len(some), view] = patches.half().cpu()

    def __call__(self, numbers: Tensor, step: int) -> Tensor:
        """Patches (P, N, D) of these products, of one view each, in turns."""
        assert self._patches is not None
        return self._patches[numbers, (numbers + step) % self._patches.shape[1]].float()
