"""Pictures in memory, random views of them, and their features."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox
from resformer.train.network.feature_cache import FeatureCache, view_features
from resformer.train.network.image_augment import augment
from resformer.train.network.picture_cache import PictureCache


def views(pixels: torch.Tensor, side: int) -> torch.Tensor:
    extent = torch.tensor([[0.75, 1.0]]).expand(len(pixels), 2)
    may_flip = torch.ones(len(pixels), dtype=torch.bool)
    return augment(pixels, extent, side, may_flip, torch.Generator().manual_seed(1))


def test_views_keep_hue_and_extent() -> None:
    pixels = torch.full((4, 3, 64, 64), 127, dtype=torch.uint8)
    pixels[:, 0, :, :48], pixels[:, 1:, :, :48] = 200, 40
    small = views(pixels, 96)
    assert small.shape == (4, 3, 96, 96)
    assert (small[:, :, :, 73:] == 127).all()
    photo = small[:, :, :, :72].transpose(0, 1).flatten(1)
    red, green, blue = photo[:, photo[0] != 127]
    assert (red > green + 60).all() and torch.allclose(green, blue, atol=2)
    # Views of another size show the same.
    assert (F.avg_pool2d(views(pixels, 192), 2) - small).abs().mean() < 1


def test_pictures_are_letterboxed_photos(shop: Path) -> None:
    photos = [shop / "photos" / f"{i}.png" for i in range(5)]
    pixels, extent = PictureCache(photos, 64)(torch.tensor([3, 0]))
    assert pixels.shape == (2, 3, 64, 64) and pixels.dtype == torch.uint8
    box, covered = letterbox(decode_photo(photos[3].read_bytes()), 64)
    assert torch.equal(pixels[0], torch.from_numpy(box)) and extent[0].tolist() == pytest.approx(covered)


def test_without_photos_there_is_a_grey_picture() -> None:
    pixels, extent = PictureCache([], 32)(torch.tensor([0]))
    assert (pixels == 127).all() and extent.tolist() == [[1, 1]]


def test_a_broken_photo_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    with pytest.raises(ValueError, match=r"broken\.jpg: the bytes are not a photo"):
        PictureCache([tmp_path / "broken.jpg"], 64)


def test_features_of_several_views_take_turns(shop: Path) -> None:
    pictures = PictureCache([shop / "photos" / f"{i}.png" for i in range(60)], 40)

    def mean(pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean(dim=(1, 2, 3))[:, None, None]

    def views() -> Iterator[list[torch.Tensor]]:
        return view_features(mean, pictures, torch.zeros(60, dtype=torch.bool), 32, 2, seed=0)

    cache, again = FeatureCache(views()), FeatureCache(views())
    indices = torch.tensor([5, 50])
    first, second = cache(indices, 0), cache(indices, 1)
    assert first.shape == (2, 1, 1) and first.dtype == torch.float32
    assert (first != second).all() and torch.equal(first, cache(indices, 2)) and torch.equal(first, again(indices, 0))
    pooled = cache.pooled(pictures.extent)
    assert pooled.shape == (60, 2, 2)  # of one patch, mean and maximum are itself
    found = pooled[indices, :, 0].sort(dim=1).values.float()
    assert torch.equal(found, torch.cat([first, second], dim=1)[:, :, 0].sort(dim=1).values)
    assert torch.equal(pooled[..., 0], pooled[..., 1])
