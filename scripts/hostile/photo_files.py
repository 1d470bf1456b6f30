"""Parts of image files, from which hostile ones are put together."""

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resformer.scripts.hostile.case import Call, Case

__all__ = [
    "ACCEPTED",
    "DAMAGED",
    "MAX_BYTES",
    "NO_PHOTO",
    "REFUSED_SIZE",
    "chunk",
    "drawn",
    "gif",
    "noise",
    "photo_case",
    "png",
    "riff",
    "saved",
    "segment",
    "tiff",
]

MAX_BYTES = 19_900_000  # the server takes 20 MB
ACCEPTED, REFUSED_SIZE, DAMAGED, NO_PHOTO = frozenset({200}), frozenset({413}), frozenset({422}), frozenset({415})


def photo_case(name: str, make: Callable[[], bytes], statuses: frozenset[int]) -> Case:
    """A case whose body is a photo's file."""
    return Case("photos", name, lambda: Call(make(), {"Content-Type": "application/octet-stream"}), statuses)


def drawn(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """A label with one line of print."""
    image = Image.new("RGB", (width, height), "#f4f1ea")
    ImageDraw.Draw(image).text((20, 20), "NET WT 500 g", "black", ImageFont.load_default(40))
    return image.convert(mode)


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    """Random pixels, which no format makes smaller."""
    shape = (height, width, channels) if channels > 1 else (height, width)
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8))


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of an image file."""
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int,
    height: int,
    *,
    bits: int = 8,
    colour: int = 2,
    interlace: int = 0,
    before: Iterable[bytes] = (),
    pixels: Sequence[bytes] | None = None,
    after: Iterable[bytes] = (),
) -> bytes:
    """A PNG file, black where `pixels`, its compressed parts, are not given.

    Args:
        before, after: chunks before and after those of the pixels.
    """
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if pixels is None:
        # The passes of an interlaced file have as many bytes and at most twice the rows, each with a filter byte.
        rows = height if not interlace else 2 * height + 8
        pixels = [zlib.compress(bytes(height * -(-width * bits * samples // 8) + rows * (1 + samples * bits // 8)), 1)]
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    parts = [chunk(b"IHDR", header), *before, *(chunk(b"IDAT", part) for part in pixels), *after, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gif(width: int, height: int, frames: Iterable[bytes]) -> bytes:
    """A GIF file of two colours; `frames` are whole image blocks."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + b"".join(frames) + b";"
    )


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of these chunks."""
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(
    pages: Sequence[Sequence[tuple[int, int, int, int]]], content: bytes = b"", *, next_page: int | None = None
) -> bytes:
    """A little-endian TIFF file.

    Args:
        pages: the tags of each: id, type, number of values, and value or offset.
        content: stands at offset 8, before the pages.
        next_page: what the last page points to; None: nothing.
    """
    offset = 8 + len(content) + len(content) % 2
    data = b"II*\0" + struct.pack("<I", offset) + content + b"\0" * (len(content) % 2)
    for i, tags in enumerate(pages):
        offset += 6 + 12 * len(tags)
        follower = offset if i + 1 < len(pages) else (next_page or 0)
        data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
        data += struct.pack("<I", follower)
    return data
