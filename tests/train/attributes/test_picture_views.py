"""Pictures in memory and random views of them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox
from resformer.model.schema.schema import Schema
from resformer.train.attributes.image_augment import augment
from resformer.train.attributes.labelled_products import read_products
from resformer.train.attributes.picture_cache import PictureCache
from resformer.train.settings.sources import ProductTable


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
    assert (torch.nn.functional.avg_pool2d(views(pixels, 192), 2) - small).abs().mean() < 1


def test_pictures_are_letterboxed_photos(shop_table: ProductTable) -> None:
    products = read_products(shop_table, Schema.load())[:5]
    pixels, extent = PictureCache(products, 64)(torch.tensor([3, 0]))
    assert pixels.shape == (2, 3, 64, 64) and pixels.dtype == torch.uint8 and extent.shape == (2, 2)
    box, covered = letterbox(decode_photo(products[3].photo.read_bytes()), 64)
    assert torch.equal(pixels[0], torch.from_numpy(box)) and extent[0].tolist() == pytest.approx(covered)


def test_a_broken_photo_is_named(shop_table: ProductTable, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    product = replace(read_products(shop_table, Schema.load())[0], photo=tmp_path / "broken.jpg")
    with pytest.raises(ValueError, match=r"broken\.jpg: the bytes are not a photo"):
        PictureCache([product], 64)
