"""The decoder of photos."""

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import ImageOps

from resformer.model.errors import ResformerError
from resformer.model.images.loading import MAX_PIXELS, decode_photo, is_photo
from resformer.scripts.fuzz.target import Target
from resformer.scripts.hostile.photo_files import DAMAGED, chunk, drawn, png, saved, segment
from resformer.scripts.hostile.photos import CASES

__all__ = ["TARGET"]

MAX_BYTES = 8000
# Most inputs may have fewer pixels than the server takes, which are tried faster; which, depends on their bytes alone.
FEWER_PIXELS = 2_000_000
ALL_PIXELS_EACH = 16


def check(data: bytes) -> None:
    """Decodes a file.

    Raises:
        AssertionError: The pixels are of another form, or the errors of another kind, than is promised.
    """
    max_pixels = FEWER_PIXELS if zlib.crc32(data) % ALL_PIXELS_EACH else MAX_PIXELS
    try:
        pixels = decode_photo(data, max_pixels=max_pixels)
    except ResformerError as error:
        assert error.status in (400, 413, 415, 422), error.status
        assert (error.status in (400, 415)) or is_photo(data)
        assert len(str(error)) < 1000
        return
    assert is_photo(data)
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3, (pixels.dtype, pixels.shape)
    assert 0 < pixels.shape[0] * pixels.shape[1] <= max_pixels, pixels.shape


def seeds() -> Iterator[bytes]:
    """Small files of each format and mode, and small damaged ones among the hostile files; others take long to make."""
    image = drawn(40, 24)
    other = ImageOps.mirror(image)
    for mode in ("L", "RGB", "CMYK"):
        yield saved(image.convert(mode), "JPEG", quality=30)
    yield saved(image, "JPEG", quality=30, progressive=True)
    yield saved(image, "JPEG", quality=30, subsampling=2, restart_marker_blocks=1)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield saved(image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode), "PNG")
    for colour, bits in ((0, 1), (0, 16), (2, 16), (3, 4), (4, 8), (6, 16)):
        yield png(17, 9, bits=bits, colour=colour, interlace=1, before=[chunk(b"PLTE", bytes(48))] * (colour == 3))
    yield saved(image, "PNG", save_all=True, append_images=[other])
    yield saved(image, "WEBP", quality=20)
    yield saved(image.convert("RGBA"), "WEBP", lossless=True)
    yield saved(image, "WEBP", save_all=True, append_images=[other], quality=20)
    yield saved(image, "GIF")
    yield saved(image, "GIF", save_all=True, append_images=[other], transparency=0)
    for mode in ("1", "L", "P", "RGB"):
        yield saved(image.convert(mode), "BMP")
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        yield saved(image, "TIFF", compression=compression)
    for mode in ("1", "L", "LA", "P", "RGBA", "CMYK", "LAB", "I;16", "F"):
        yield saved(image.convert("I").convert("I;16") if mode == "I;16" else image.convert(_through(mode)), "TIFF")
    yield saved(image.convert("1"), "TIFF", compression="group4")
    yield saved(image, "TIFF", big_tiff=True)
    yield saved(image, "TIFF", save_all=True, append_images=[other])
    turned = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, 6) + bytes(4)
    photo = saved(image, "JPEG", quality=30)
    yield photo[:2] + segment(0xE1, turned) + photo[2:]
    damaged = (case.make().body for case in CASES if case.statuses == DAMAGED)
    yield from (data for data in damaged if len(data) <= MAX_BYTES)


def _through(mode: str) -> str:
    return "RGB" if mode == "LAB" else mode


def _words() -> list[bytes]:
    chunks = b"IHDR PLTE tRNS IDAT IEND acTL fcTL fdAT eXIf iTXt zTXt tEXt".split()
    webp = (b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"EXIF", b"XMP ", b"ICCP")
    markers = [bytes([0xFF, of]) for of in (0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xD0, 0xD9, 0xE1, 0xEE)]
    tags = (254, 256, 257, 258, 259, 262, 273, 277, 279, 284, 317, 320, 322, 338, 339)
    numbers = (0, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
    packed = [*(struct.pack("<H", tag) for tag in tags), *(struct.pack("<I", number) for number in numbers)]
    return [*chunks, *webp, *markers, *packed, b"Exif\0\0", b"XML:com.adobe.xmp", b"Raw profile type exif"]


cv2.setNumThreads(1)
TARGET = Target(check, seeds, _words(), MAX_BYTES, ("resformer.model", "PIL"))
