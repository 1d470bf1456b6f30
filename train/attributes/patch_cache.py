"""Patches of pictures that were looked at once, for training of what comes after them."""

from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from resformer.train.attributes.attribute_batches import Pictures
from resformer.train.attributes.image_augment import augment

__all__ = ["Views"]

TOGETHER = 48


class Views:
    """Patches of several random views of each picture.

    Args:
        look: gives patches (P, N, D) of pictures (P, 3, side, side).
        mirrored: bool (products,), which pictures may be mirrored.
        side: of the views, pixels.
        count: how many there are of each picture.
    """

    def __init__(
        self,
        look: Callable[[Tensor], Tensor],
        pictures: Pictures,
        mirrored: Tensor,
        side: int,
        count: int,
        seed: int,
    ):
        generator = torch.Generator(mirrored.device).manual_seed(seed)
        looked = []
        numbers = torch.arange(len(mirrored), device=mirrored.device)
        for some in tqdm(numbers.split(TOGETHER), desc="pictures", leave=False, disable=None):
            pixels, visible = pictures(some)
            for _ in range(count):
                seen = augment(pixels, visible, side, mirrored[some], generator)
                with torch.inference_mode():
                    looked.append(look(seen).half())
        views = [torch.cat(looked[view::count]) for view in range(count)]
        self._patches = torch.stack(views, dim=1)

    def __call__(self, numbers: Tensor, step: int) -> Tensor:
        """Patches (P, N, D) of these products, of one view each, in turns."""
        return self._patches[numbers, (numbers + step) % self._patches.shape[1]].float()
