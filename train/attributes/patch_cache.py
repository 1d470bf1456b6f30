"""Patch embeddings in memory, for training of the modules behind frozen image modules."""

from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from resformer.train.attributes.image_augment import augment
from resformer.train.attributes.picture_cache import PictureCache

__all__ = ["PatchCache"]

BATCH_SIZE = 48


class PatchCache:
    """Patch embeddings of several random views of each picture, in half precision.

    Args:
        embed_image: gives patches (P, N, D) of pictures (P, 3, side, side).
        may_flip: bool (products,), which pictures may be mirrored.
        side: of the views, pixels.
        num_views: of each picture.
    """

    def __init__(
        self,
        embed_image: Callable[[Tensor], Tensor],
        pictures: PictureCache,
        may_flip: Tensor,
        side: int,
        num_views: int,
        seed: int,
    ):
        generator = torch.Generator(may_flip.device).manual_seed(seed)
        patches = []
        indices = torch.arange(len(pictures), device=may_flip.device)
        for batch in tqdm(indices.split(BATCH_SIZE), desc="pictures", leave=False, disable=None):
            pixels, extent = pictures(batch)
            for _ in range(num_views):
                view = augment(pixels, extent, side, may_flip[batch], generator)
                with torch.no_grad():
                    patches.append(embed_image(view).half())
        self._patches = torch.stack([torch.cat(patches[view::num_views]) for view in range(num_views)], dim=1)

    def __call__(self, indices: Tensor, step: int) -> Tensor:
        """Patches (P, N, D) of one view of each of these products; the views take turns from step to step."""
        return self._patches[indices, (indices + step) % self._patches.shape[1]].float()
