"""Hostile PNG files."""

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from resformer.scripts.hostile.photo_files import (
    ACCEPTED,
    DAMAGED,
    REFUSED_SIZE,
    chunk,
    drawn,
    noise,
    photo_case,
    png,
    saved,
)

__all__ = ["PNG_CASES"]

BOMB = zlib.compress(bytes(100_000_000), 9)  # 97 kB
TEXT = zlib.compress(bytes(1_000_000), 9)  # 1 kB


def _with(*chunks: bytes) -> Callable[[], bytes]:
    """A small photo with more chunks before its pixels."""
    return lambda: png(64, 48, before=chunks)


def _in_parts(size: int) -> bytes:
    """A photo of 4 megapixels of noise whose compressed pixels are in parts of so many bytes."""
    rows = noise(1500, 1500).tobytes()
    pixels = zlib.compress(b"".join(b"\0" + rows[i : i + 4500] for i in range(0, len(rows), 4500)), 0)
    return png(1500, 1500, pixels=[pixels[i : i + size] for i in range(0, len(pixels), size)])


def _animation(claimed: int, frames: int, side: int) -> bytes:
    pixels = zlib.compress(bytes(side * (1 + 3 * side)))
    parts = []
    for i in range(frames):
        control = struct.pack(">IIIIIHHBB", 2 * i, side, side, 0, 0, 1, 10, 0, 0)
        parts.append(chunk(b"fcTL", control) + (chunk(b"fdAT", struct.pack(">I", 2 * i + 1) + pixels)))
    return png(side, side, before=[chunk(b"acTL", struct.pack(">II", claimed, 0))], pixels=[pixels], after=parts)


def _cut(fraction: float) -> bytes:
    data = saved(noise(200, 200), "PNG")
    return data[: int(len(data) * fraction)]


PNG_CASES = (
    photo_case(
        "PNG: a million empty chunks", lambda: png(64, 48, before=[chunk(b"tEXt", b"")] * 1_000_000), REFUSED_SIZE
    ),
    photo_case(
        "PNG: a million private chunks", lambda: png(64, 48, before=[chunk(b"abCd", b"")] * 1_000_000), REFUSED_SIZE
    ),
    photo_case(
        "PNG: a million empty parts of pixels",
        lambda: png(64, 48, after=[chunk(b"IDAT", b"")] * 1_000_000),
        REFUSED_SIZE,
    ),
    photo_case("PNG: pixels in parts of 16 bytes", lambda: _in_parts(16), REFUSED_SIZE),
    photo_case("PNG: pixels in parts of 1 kB", lambda: _in_parts(1024), ACCEPTED),
    photo_case(
        "PNG: a million chunks after its pixels",
        lambda: png(64, 48, after=[chunk(b"tEXt", b"")] * 1_000_000),
        REFUSED_SIZE,
    ),
    photo_case("PNG: a text of 100 MB", _with(chunk(b"zTXt", b"Comment\0\0" + BOMB)), ACCEPTED),
    photo_case("PNG: 100 texts of 100 MB", _with(*[chunk(b"zTXt", b"Comment\0\0" + BOMB)] * 100), ACCEPTED),
    photo_case("PNG: XMP of 100 MB", _with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB)), ACCEPTED),
    photo_case("PNG: raw EXIF of 100 MB", _with(chunk(b"zTXt", b"Raw profile type exif\0\0" + BOMB)), ACCEPTED),
    photo_case(
        "PNG: 9,000 times XMP of 1 MB", _with(*[chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + TEXT)] * 9000), ACCEPTED
    ),
    photo_case("PNG: a colour profile of 100 MB", _with(chunk(b"iCCP", b"icc\0\0" + BOMB)), ACCEPTED),
    photo_case("PNG: a plain text of 15 MB", _with(chunk(b"tEXt", b"Comment\0" + b"a" * 15_000_000)), ACCEPTED),
    photo_case("PNG: EXIF with 65,535 tags", lambda: png(64, 48, before=[chunk(b"eXIf", _exif())]), ACCEPTED),
    photo_case("PNG: pixels that inflate to 100 MB", lambda: png(64, 48, pixels=[BOMB]), ACCEPTED | DAMAGED),
    photo_case("PNG: 1 x 49,000,000", lambda: png(1, 49_000_000, bits=1, colour=0), REFUSED_SIZE),
    photo_case("PNG: 65,535 x 1", lambda: png(65_535, 1, bits=1, colour=0), ACCEPTED),
    photo_case("PNG: 60,000 x 60,000", lambda: png(60_000, 60_000, pixels=[BOMB]), REFUSED_SIZE),
    photo_case("PNG: 2,147,483,647 x 1", lambda: png(2**31 - 1, 1, pixels=[BOMB]), REFUSED_SIZE),
    photo_case("PNG: 5,000 x 5,000 without pixels", lambda: png(5000, 5000, pixels=[b""]), DAMAGED),
    photo_case("PNG: 0 x 0", lambda: png(0, 0), DAMAGED),
    photo_case("PNG: 50 megapixels", lambda: png(8660, 5773), REFUSED_SIZE),
    photo_case("PNG: 27 megapixels", lambda: png(5200, 5200), ACCEPTED),
    photo_case("PNG: 27 megapixels, interlaced", lambda: png(5200, 5200, interlace=1), ACCEPTED),
    photo_case("PNG: 50 megapixels with transparency", lambda: png(8660, 5773, colour=6), REFUSED_SIZE),
    photo_case("PNG: 20 megapixels with transparency", lambda: png(4500, 4500, colour=6), ACCEPTED),
    photo_case("PNG: 50 megapixels of 16 bits", lambda: png(8660, 5773, bits=16), REFUSED_SIZE),
    photo_case(
        "PNG: 10 megapixels of 16 bits, transparent", lambda: png(3200, 3200, bits=16, colour=6, interlace=1), ACCEPTED
    ),
    photo_case("PNG: 1 x 100,000", lambda: png(1, 100_000), REFUSED_SIZE),
    photo_case("PNG: 100,000 x 1", lambda: png(100_000, 1), REFUSED_SIZE),
    photo_case("PNG: transparent noise", lambda: saved(noise(1500, 1500, 4), "PNG", compress_level=0), ACCEPTED),
    photo_case("PNG: a palette of one colour", lambda: saved(Image.new("P", (64, 48)), "PNG"), ACCEPTED),
    photo_case("PNG: no palette", lambda: png(64, 48, colour=3), ACCEPTED | DAMAGED),
    photo_case(
        "PNG: two headers", _with(chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))), DAMAGED
    ),
    photo_case("PNG: a chunk of 2 GB", lambda: png(64, 48)[:33] + b"\x7f\xff\xff\xffIDAT" + bytes(1000), DAMAGED),
    photo_case("PNG: wrong check sums", lambda: png(64, 48).replace(b"IDAT", b"IDAT\0", 1), DAMAGED),
    photo_case("PNG: an animation of 4 billion frames", lambda: _animation(2**31, 3, 64), ACCEPTED),
    photo_case("PNG: an animation of 4,000 frames", lambda: _animation(4000, 4000, 64), ACCEPTED),
    photo_case("PNG: an animation of 10 large frames", lambda: _animation(10, 10, 4000), ACCEPTED),
    photo_case(
        "PNG: a page with script behind it", lambda: saved(drawn(), "PNG") + b"<script>alert(1)</script>", ACCEPTED
    ),
    photo_case("PNG: its signature alone", lambda: b"\x89PNG\r\n\x1a\n", DAMAGED),
    photo_case("PNG: half of it", lambda: _cut(0.5), DAMAGED),
)


def _exif() -> bytes:
    tags = b"".join(struct.pack("<HHII", i, 4, 250_000, 8) for i in range(1000, 65_535))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 64_535) + tags + bytes(300_000)
