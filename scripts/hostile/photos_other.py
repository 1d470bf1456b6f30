"""Hostile GIF, WebP and BMP files, and what is no photo."""

import io
import struct
import zipfile
from collections.abc import Callable

from PIL import Image

from resformer.scripts.hostile.photo_files import (
    ACCEPTED,
    DAMAGED,
    NO_PHOTO,
    REFUSED_SIZE,
    drawn,
    gif,
    noise,
    photo_case,
    riff,
    saved,
)

__all__ = ["OTHER_CASES"]


def _frame(
    width: int,
    height: int,
    data: bytes = b"\x02\x16\x8c\x2d\x99\x87\x2a\x1c\xdc\x33\xa0\x02\x75\xec\x95\xfa\xa8\xde\x60\x8c\x04\x91\x4c\x01\0",
) -> bytes:
    """An image block of a GIF file; its pixels are those of a frame of 10 x 10, so a larger one is cut off."""
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + data


def _animated(format: str, count: int, width: int, height: int) -> bytes:
    frames = [Image.new("RGB", (width, height), (i * 20 % 256, 0, i % 256)) for i in range(count)]
    return saved(frames[0], format, save_all=True, append_images=frames[1:])


def _repeated_frame(width: int, height: int, count: int) -> bytes:
    """A GIF file whose only frame is repeated."""
    data = saved(Image.new("L", (width, height)), "GIF")
    first = 13 + (3 << (data[10] & 7) + 1)
    return data[:-1] + data[first:-1] * (count - 1) + data[-1:]


def _run_lengths(width: int, height: int, data: bytes, compression: int = 1) -> bytes:
    """A BMP file with run lengths."""
    bits = 8 if compression == 1 else 4
    palette = b"".join(bytes([i, i, i, 0]) for i in range(1 << bits))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, 1 << bits, 0)
    offset = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data


def _bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(saved(drawn(), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", bytes(10_000_000))
    return buffer.getvalue()


def _half(format: str) -> Callable[[], bytes]:
    return lambda: (data := saved(noise(200, 200), format))[: len(data) // 2]


EXTENSION = b"\x21\xfe\0"


def _canvas(width: int, height: int, flags: int = 2) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", struct.pack("<I", flags) + sides


OTHER_CASES = (
    photo_case("GIF: 10,000 frames", lambda: gif(10, 10, [_frame(10, 10)] * 10_000), ACCEPTED),
    photo_case("GIF: 500,000 frames", lambda: gif(10, 10, [_frame(10, 10)] * 500_000), REFUSED_SIZE),
    photo_case(
        "GIF: 6 million empty extensions", lambda: gif(10, 10, [EXTENSION * 6_000_000, _frame(10, 10)]), REFUSED_SIZE
    ),
    photo_case(
        "GIF: 6 million empty extensions behind a stray byte",
        lambda: gif(10, 10, [_frame(10, 10), b"\0", EXTENSION * 6_000_000, _frame(10, 10)]),
        REFUSED_SIZE,
    ),
    photo_case(
        "GIF: 19 MB of zeros behind its frame", lambda: gif(10, 10, [_frame(10, 10), bytes(19_000_000)]), ACCEPTED
    ),
    photo_case(
        "GIF: blocks of one byte", lambda: gif(10, 10, [b"\x21\xfe" + b"\1a" * 9_000_000 + b"\0"]), REFUSED_SIZE
    ),
    photo_case(
        "GIF: a comment of 15 MB",
        lambda: gif(10, 10, [b"\x21\xfe" + (b"\xff" + b"a" * 255) * 60_000 + b"\0", _frame(10, 10)]),
        ACCEPTED,
    ),
    photo_case("GIF: 65,535 x 65,535", lambda: gif(65_535, 65_535, [_frame(10, 10)]), REFUSED_SIZE),
    photo_case("GIF: a frame of 65,535 x 65,535", lambda: gif(10, 10, [_frame(65_535, 65_535)]), REFUSED_SIZE),
    photo_case(
        "GIF: a late frame of 65,535 x 65,535",
        lambda: gif(10, 10, [_frame(10, 10), _frame(65_535, 65_535)]),
        REFUSED_SIZE,
    ),
    photo_case("GIF: 16 megapixels", lambda: saved(Image.new("P", (4000, 4000)), "GIF"), ACCEPTED),
    photo_case("GIF: 10 frames of 16 megapixels", lambda: _repeated_frame(4000, 4000, 10), ACCEPTED),
    photo_case("GIF: 1 x 65,535", lambda: saved(Image.new("P", (1, 65_535)), "GIF"), ACCEPTED),
    photo_case(
        "GIF: script in a comment", lambda: gif(10, 10, [b"\x21\xfe\x0d*/=alert(1)//\0", _frame(10, 10)]), ACCEPTED
    ),
    photo_case("GIF: no frame", lambda: gif(10, 10, []), DAMAGED),
    photo_case("GIF: its signature alone", lambda: b"GIF89a", DAMAGED),
    photo_case("GIF: half of it", _half("GIF"), DAMAGED),
    photo_case("WebP: 14 megapixels", lambda: saved(drawn(4000, 3500), "WEBP", method=0), ACCEPTED),
    photo_case(
        "WebP: 14 megapixels, lossless",
        lambda: saved(drawn(4000, 3500), "WEBP", lossless=True, method=0, quality=0),
        ACCEPTED,
    ),
    photo_case("WebP: 16,383 x 16,383", lambda: riff(_canvas(16_383, 16_383)), REFUSED_SIZE | DAMAGED),
    photo_case("WebP: 16,777,216 x 16,777,216", lambda: riff(_canvas(2**24, 2**24)), REFUSED_SIZE | DAMAGED),
    photo_case("WebP: 300 frames", lambda: _animated("WEBP", 300, 64, 48), ACCEPTED),
    photo_case("WebP: 10 frames of 4 megapixels", lambda: _animated("WEBP", 10, 2000, 2000), ACCEPTED),
    photo_case("WebP: two million chunks", lambda: saved(drawn(), "WEBP") + b"abcd\0\0\0\0" * 2_000_000, ACCEPTED),
    photo_case(
        "WebP: two million chunks inside", lambda: riff(_canvas(64, 48, 0), *[(b"abcd", b"")] * 2_000_000), DAMAGED
    ),
    photo_case(
        "WebP: EXIF of 15 MB",
        lambda: saved(drawn(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(15_000_000)),
        ACCEPTED,
    ),
    photo_case("WebP: no pixels", lambda: riff((b"VP8 ", b"")), DAMAGED),
    photo_case("WebP: half of it", _half("WEBP"), DAMAGED),
    photo_case("BMP: a million runs of no pixels", lambda: _run_lengths(64, 48, b"\1\1" * 950_000), ACCEPTED | DAMAGED),
    photo_case("BMP: ten million runs", lambda: _run_lengths(2000, 2000, b"\1\1" * 9_900_000), REFUSED_SIZE),
    photo_case(
        "BMP: runs that fill 50 megapixels", lambda: _run_lengths(8000, 6000, b"\xff\1" * 200_000), REFUSED_SIZE
    ),
    photo_case(
        "BMP: ends of lines that fill 4 megapixels", lambda: _run_lengths(2000, 2000, b"\1\1\0\0" * 2000), ACCEPTED
    ),
    photo_case("BMP: runs of 4 bits", lambda: _run_lengths(2000, 2000, b"\xff\1" * 20_000, 2), ACCEPTED | DAMAGED),
    photo_case("BMP: 60,000 x 60,000", lambda: _bmp_claiming(60_000, 60_000), REFUSED_SIZE),
    photo_case("BMP: 7,000 x 7,000 without pixels", lambda: _bmp_claiming(7000, 7000), DAMAGED),
    photo_case("BMP: a negative size", lambda: _bmp_claiming(-640, -480), DAMAGED | REFUSED_SIZE | ACCEPTED),
    photo_case("BMP: half of it", _half("BMP"), DAMAGED),
    photo_case("nothing", lambda: b"", frozenset({400})),
    photo_case("zeros", lambda: bytes(1000), NO_PHOTO),
    *(
        photo_case(f"no photo: {name}", make, NO_PHOTO)
        for name, make in (
            ("SVG", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
            ("HTML", lambda: b"<!doctype html><script>alert(1)</script>"),
            ("PDF", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
            ("a ZIP bomb", _zip),
            ("EPS", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n"),
            ("ICO", lambda: saved(drawn(64, 48), "ICO")),
            ("PPM", lambda: saved(drawn(), "PPM")),
            ("TGA", lambda: saved(drawn(), "TGA")),
            ("PCX", lambda: saved(drawn(), "PCX")),
            ("JPEG 2000", lambda: saved(drawn(), "JPEG2000")),
            ("AVIF", lambda: b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B"),
            ("PSD", lambda: b"8BPS\0\1" + bytes(100)),
            ("MP4", lambda: b"\0\0\0\x18ftypisom" + bytes(100)),
            ("an executable", lambda: b"\x7fELF" + bytes(1000)),
        )
    ),
)
