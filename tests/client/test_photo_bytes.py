"""Photos of all forms."""

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resformer.client import PhotoError
from resformer.client.photo_bytes import photo_bytes
from resformer.model.images.loading import load_photo


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    image = Image.fromarray(np.arange(40 * 30 * 3, dtype=np.uint8).reshape(30, 40, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    image.save(path, exif=exif)
    return path


def test_files_are_sent_as_they_are(file: Path) -> None:
    data = file.read_bytes()
    with file.open("rb") as opened:
        photos: list[Any] = [file, str(file), data, bytearray(data), memoryview(data), BytesIO(data), opened]
        assert [photo_bytes(photo) for photo in photos] == [data] * len(photos)


def test_an_image_is_sent_upright_and_without_loss(file: Path) -> None:
    with Image.open(file) as image:
        sent = photo_bytes(image)
    with Image.open(BytesIO(sent)) as png:
        assert (png.format, png.size) == ("PNG", (30, 40))
    assert np.array_equal(load_photo(sent), load_photo(file))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "F", "I", "I;16"]
)
def test_images_of_every_mode_are_sent(mode: str) -> None:
    assert load_photo(photo_bytes(Image.new(mode, (4, 3)))).shape == (3, 4, 3)


def test_transparency_is_kept() -> None:
    with Image.open(BytesIO(photo_bytes(Image.new("PA", (2, 2), (0, 0))))) as png:
        assert png.has_transparency_data


@pytest.mark.parametrize(
    ("photo", "kind", "message"),
    [
        ("missing.jpg", "FileNotFoundError", "No such file or directory: 'missing.jpg'"),
        (".", "IsADirectoryError", "cannot read the photo"),
        ("nul\0.jpg", "ValueError", "cannot read the photo"),
        ("https://shop.example.com/photo.jpg", "UrlNotAllowed", "is a link, which is not fetched; send the file"),
        (b"", "BadRequest", "the photo is empty"),
        (BytesIO(), "BadRequest", "the photo is empty"),
        (StringIO("text"), "TypeError", "open it with mode 'rb'"),
        (None, "TypeError", "not None"),
        (float("nan"), "TypeError", "not nan"),
        (np.zeros((2, 2, 3), np.uint8), "TypeError", "a photo is a path, the bytes of an image file"),
    ],
)
def test_what_is_no_photo(photo: Any, kind: str, message: str) -> None:
    with pytest.raises(PhotoError) as raised:
        photo_bytes(photo)
    assert (raised.value.type, raised.value.code) == (kind, None)
    assert message in raised.value.message


def test_a_closed_file(file: Path) -> None:
    with file.open("rb") as closed:
        pass
    with pytest.raises(PhotoError, match="closed file"):
        photo_bytes(closed)


def test_an_image_that_is_cut_off(file: Path) -> None:
    with Image.open(BytesIO(file.read_bytes()[:-200])) as image, pytest.raises(PhotoError, match="truncated"):
        photo_bytes(image)
