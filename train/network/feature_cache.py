"""Image features in memory, for training of the modules behind frozen image modules."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from resformer.model.networks.label_shortcut import pool_patches
from resformer.model.networks.resformer import covered_patches
from resformer.train.network.image_augment import augment
from resformer.train.network.picture_cache import PictureCache

__all__ = ["BATCH_SIZE", "FeatureCache", "pool_views", "view_features"]

BATCH_SIZE = 48


class FeatureCache:
    """Image features of several random views of each picture, in half precision.

    Args:
        views: see view_features.
    """

    def __init__(self, views: Iterable[Sequence[Tensor]]):
        batches = [torch.stack([view.half() for view in batch], dim=1) for batch in views]
        self._features = torch.cat(batches)

    def __call__(self, indices: Tensor, step: int) -> Tensor:
        """Features (P, N, F) of one view of each of these photos; the views take turns from step to step."""
        return self._features[indices, (indices + step) % self._features.shape[1]].float()

    def pooled(self, extent: Tensor) -> Tensor:
        """Pooled features (photos, views, 2 F) of all views.

        Args:
            extent: (photos, 2), see letterbox.
        """
        batches = zip(self._features.split(BATCH_SIZE), extent.split(BATCH_SIZE), strict=True)
        return torch.cat([pool_views(features.float().unbind(1), part) for features, part in batches])


def pool_views(views: Sequence[Tensor], extent: Tensor) -> Tensor:
    """Pooled features (P, views, 2 F), in half precision on a CPU, of views (P, N, F) of pictures."""
    covered = covered_patches(extent, views[0].shape[1])
    return torch.stack([pool_patches(view, covered) for view in views], dim=1).half().cpu()


def view_features(
    image_features: Callable[[Tensor], Tensor],
    pictures: PictureCache,
    may_flip: Tensor,
    side: int,
    num_views: int,
    seed: int,
) -> Iterator[list[Tensor]]:
    """Features (P, N, F) of random views of the pictures, BATCH_SIZE of them at a time.

    Args:
        image_features: gives features (P, N, F) of pictures (P, 3, side, side).
        may_flip: bool (photos,), which pictures may be mirrored.
        side: of the views, pixels.
        num_views: of each picture.
    """
    generator = torch.Generator(may_flip.device).manual_seed(seed)
    indices = torch.arange(len(pictures), device=may_flip.device)
    for batch in tqdm(indices.split(BATCH_SIZE), desc="pictures", leave=False, disable=None):
        pixels, extent = pictures(batch)
        with torch.no_grad():
            yield [image_features(augment(pixels, extent, side, may_flip[batch], generator)) for _ in range(num_views)]
