"""Image files of all formats become upright RGB pixels, or a clear error."""

import struct
import threading
import warnings
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from resformer.model.errors import BadRequest, CorruptImage, ImageTooLarge, ResformerError, UnsupportedImage
from resformer.model.images.loading import decode_photo

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255,) * 3, (0,) * 3


def flag() -> Image.Image:
    """64 x 48: red in the upper left quarter, blue in the lower right one, white elsewhere."""
    image = Image.new("RGB", (64, 48), WHITE)
    image.paste(RED, (0, 0, 32, 24))
    image.paste(BLUE, (32, 24, 64, 48))
    return image


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int, height: int, *, bits: int = 8, rows: bytes = b"") -> bytes:
    """An RGB PNG made by hand; without rows it has a header and no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def colours(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The colours of the four quarters, row by row, each channel rounded to a multiple of 85."""
    height, width = pixels.shape[:2]
    middles = [pixels[y, x] for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(v) for v in (m / 85.0).round() * 85) for m in middles]


UPRIGHT_FLAG = [RED, WHITE, WHITE, BLUE]


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"progressive": True}),
        ("MPO", {}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"big_tiff": True}),
    ],
)
def test_every_format_gives_the_same_pixels(format: str, options: dict[str, Any]) -> None:
    pixels = decode_photo(saved(flag(), format, **options))
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert colours(pixels) == UPRIGHT_FLAG


def test_bytearray() -> None:
    assert colours(decode_photo(bytearray(saved(flag(), "PNG")))) == UPRIGHT_FLAG


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF"])
def test_palette(format: str) -> None:
    assert colours(decode_photo(saved(flag().quantize(8), format))) == UPRIGHT_FLAG


@pytest.mark.parametrize(("mode", "grey"), [("L", 76), ("1", None)])
def test_grey_and_black_and_white(mode: str, grey: int | None) -> None:
    pixels = decode_photo(saved(flag().convert(mode), "PNG"))
    assert (pixels[..., 0] == pixels[..., 2]).all()
    assert pixels[12, 48].tolist() == [255] * 3
    assert grey is None or pixels[12, 16].tolist() == [grey] * 3


@pytest.mark.parametrize(("format", "loop"), [("GIF", 0), ("WEBP", 0), ("PNG", 0), ("TIFF", None)])
def test_first_frame(format: str, loop: int | None) -> None:
    options: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), GREEN)] * 2}
    assert colours(decode_photo(saved(flag(), format, **options))) == UPRIGHT_FLAG


# Alpha and transparency: transparent pixels become white.


def quarter_clear(mode: str) -> Image.Image:
    """Black, and the upper left quarter transparent black."""
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 24))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "format"),
    [("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("LA", "PNG"), ("RGBA", "GIF")],
)
def test_alpha_goes_over_white(mode: str, format: str) -> None:
    assert colours(decode_photo(saved(quarter_clear(mode), format))) == [WHITE, BLACK, BLACK, BLACK]


def test_half_transparent_is_mixed() -> None:
    pixels = decode_photo(saved(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), "PNG"))
    assert pixels[0, 0].tolist() == pytest.approx([255, 127, 127], abs=1)


def test_palette_transparency() -> None:
    image = flag().quantize(8)
    data = saved(image, "PNG", transparency=image.getpixel((10, 10)))
    assert colours(decode_photo(data)) == [WHITE, WHITE, WHITE, BLUE]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_colour_key_transparency(mode: str) -> None:
    image = Image.new(mode, (8, 8), "black")
    assert decode_photo(saved(image, "PNG", transparency=image.getpixel((0, 0)))).min() == 255


# 16 and 32 bits: scaled, not cut off.


def wide(dtype: str, white: float) -> np.ndarray:
    """Four columns: 0, a quarter, half and all of `white`."""
    return np.tile(np.array([0, white // 4, white // 2, white]), (4, 1)).astype(dtype)


def test_16_bit_grey_png() -> None:
    data = saved(Image.fromarray(wide("uint16", 65535)), "PNG")
    assert decode_photo(data)[0, :, 0].tolist() == [0, 63, 127, 255]


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_16_bit_grey_tiff(dtype: str) -> None:
    data = saved(Image.fromarray(wide(dtype, 65535)), "TIFF")
    assert decode_photo(data)[0, :, 1].tolist() == [0, 63, 127, 255]


def test_16_bit_colour_png() -> None:
    # Pillow cannot write one: 2 x 1 pixels of 0x8000, 0, 0xffff.
    data = png(2, 1, bits=16, rows=b"\0" + struct.pack(">3H", 0x8000, 0, 0xFFFF) * 2)
    assert decode_photo(data).tolist() == [[[128, 0, 255], [128, 0, 255]]]


@pytest.mark.parametrize(
    ("dtype", "white"), [("int32", 255), ("int32", 65535), ("int32", 2**31 - 1), ("float32", 65535)]
)
def test_32_bit_tiff(dtype: str, white: float) -> None:
    data = saved(Image.fromarray(wide(dtype, white)), "TIFF")
    assert decode_photo(data)[0, :, 0].tolist() == pytest.approx([0, 64, 128, 255], abs=1)


def test_float_tiff_from_0_to_1() -> None:
    samples = np.array([[0, 0.5, 1, np.nan]], np.float32)
    assert decode_photo(saved(Image.fromarray(samples), "TIFF"))[0, :, 0].tolist() == [0, 128, 255, 0]


# Four colours.


def test_cmyk_jpeg_as_adobe_writes_it() -> None:
    data = saved(flag().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data[:64]  # which means: inverted
    assert colours(decode_photo(data)) == UPRIGHT_FLAG


def test_cmyk_tiff() -> None:
    assert colours(decode_photo(saved(flag().convert("CMYK"), "TIFF"))) == UPRIGHT_FLAG


# EXIF orientation.

AS_STORED: dict[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", AS_STORED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation(orientation: int, format: str) -> None:
    image = flag()
    image.paste(GREEN, (32, 0, 64, 24))  # now every turn and mirror image looks different
    turn = AS_STORED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"exif": exif} if format != "TIFF" else {"tiffinfo": _tiff_orientation(orientation)}
    pixels = decode_photo(saved(image if turn is None else image.transpose(turn), format, **options))
    assert pixels.shape == (48, 64, 3)
    assert colours(pixels) == [RED, GREEN, WHITE, BLUE]


def _tiff_orientation(orientation: int) -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("block", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_broken_exif_does_not_spoil_a_photo(block: bytes) -> None:
    assert colours(decode_photo(saved(flag(), "JPEG", exif=block))) == UPRIGHT_FLAG


# Errors.


@pytest.mark.parametrize("data", [b"", bytearray()])
def test_empty(data: bytes | bytearray) -> None:
    with pytest.raises(BadRequest, match="empty; send"):
        decode_photo(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>404</html>",
        b"%PDF-1.7",
        b"BMW of North America, a text and not a bitmap",
        b"\0" * 100,
        b"\x89",
        b"GIF",
        saved(flag(), "PPM"),
        saved(flag(), "ICO"),
        b"\0\0\0\x1cftypheic" + b"\0" * 50,
    ],
)
def test_not_a_photo(data: bytes | bytearray) -> None:
    with pytest.raises(UnsupportedImage, match="JPEG, PNG, WebP"):
        decode_photo(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("fraction", [0.2, 0.6, 0.9])
def test_truncated(format: str, fraction: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8))
    data = saved(noise, format)
    with pytest.raises(CorruptImage, match="cut off or damaged"):
        decode_photo(data[: int(len(data) * fraction)])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_damaged_bytes_give_pixels_or_a_resformer_error(format: str) -> None:
    data = saved(flag(), format)
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        damaged = bytearray(data)
        for position in rng.integers(0, len(data), 8):
            damaged[position] = rng.integers(256)
        try:
            assert decode_photo(damaged).ndim == 3
        except ResformerError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_too_many_pixels_are_refused_from_the_header(side: int) -> None:
    # This file has no pixels: reading them would raise another error.
    with warnings.catch_warnings(), pytest.raises(ImageTooLarge, match=f"{side} x {side}.*28000000"):
        warnings.simplefilter("error")
        decode_photo(png(side, side))


def test_limit_on_pixels_is_an_argument() -> None:
    data = saved(flag(), "PNG")
    assert decode_photo(data, max_pixels=64 * 48).shape == (48, 64, 3)
    with pytest.raises(ImageTooLarge):
        decode_photo(data, max_pixels=64 * 48 - 1)


def test_limit_may_be_above_the_one_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode_photo(saved(flag(), "PNG")).shape == (48, 64, 3)


def test_no_pixels_at_all() -> None:
    with pytest.raises(CorruptImage):
        decode_photo(png(0, 5))


def test_threads_do_not_disturb_each_other() -> None:
    data = [saved(Image.new("RGB", (200 + i, 100), (i * 20, 0, 0)), "PNG") for i in range(8)]
    results: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        for _ in range(5):
            results[i] = decode_photo(data[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(8):
        assert results[i].shape == (100, 200 + i, 3)
        assert (results[i][..., 0] == i * 20).all()
