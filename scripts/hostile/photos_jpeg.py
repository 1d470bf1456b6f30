"""Hostile JPEG files."""

import io
import struct
from collections.abc import Callable

from PIL import Image

from resformer.scripts.hostile.photo_files import (
    ACCEPTED,
    DAMAGED,
    MAX_BYTES,
    NO_PHOTO,
    REFUSED_SIZE,
    drawn,
    noise,
    photo_case,
    saved,
    segment,
)

__all__ = ["JPEG_CASES"]

SCAN = b"\xff\xda"


def _jpeg(**options: object) -> bytes:
    return saved(drawn(), "JPEG", **options)


def _with(*segments: bytes, **options: object) -> bytes:
    """A photo with more segments after its first marker."""
    data = _jpeg(**options)
    return data[:2] + b"".join(segments) + data[2:]


def _resized(data: bytes, width: int, height: int) -> bytes:
    """A photo that claims another size."""
    at = next(data.index(b"\xff" + bytes([marker])) for marker in (0xC0, 0xC2) if b"\xff" + bytes([marker]) in data)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def _repeated_scans(width: int, height: int, count: int) -> bytes:
    """A progressive photo whose last scan is repeated."""
    data = saved(Image.new("RGB", (width, height), "white"), "JPEG", progressive=True, quality=50)
    last = data.rindex(SCAN)
    return data[:last] + data[last:-2] * count + data[-2:]


def _hidden_scans(width: int, height: int, count: int) -> bytes:
    """A progressive photo with empty scans in what looks like the segment of a reserved marker."""
    data = saved(Image.new("L", (width, height), "white"), "JPEG", progressive=True)
    last = data.rindex(SCAN)
    scan = data[last : last + 10]
    restarts = segment(0xDD, struct.pack(">H", -(-width // 8)))
    return data[:last] + restarts + scan + segment(0x02, scan * count) + data[-2:]


def _one_id(width: int, height: int) -> bytes:
    """A progressive photo of full colour that claims a size, whose components all have the same id."""
    data = _resized(_jpeg(progressive=True, subsampling=0), width, height)
    at, scan = data.index(b"\xff\xc2") + 10, data.index(SCAN)
    components = b"".join(b"\1" + data[i + 1 : i + 3] for i in range(at, at + 9, 3))
    ids = b"\1" + data[scan + 6 : scan + 7] + b"\1" + data[scan + 8 : scan + 9] + b"\1"
    return data[:at] + components + data[at + 9 : scan + 5] + ids + data[scan + 10 :]


def _before_scan(filling: bytes) -> bytes:
    data = _jpeg()
    at = data.index(SCAN)
    return data[:at] + filling + data[at:]


def _in_scan(filling: bytes) -> bytes:
    data = _jpeg()
    at = data.index(SCAN) + 200
    while data[at - 1] == 0xFF:
        at += 1
    return data[:at] + filling + data[at:]


def _frame_marker(marker: int, bits: int = 8) -> bytes:
    data = bytearray(_jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, bits
    return bytes(data)


def _exif(tags: int, values: int, *, padding: int = 0, next_directory: int = 0) -> bytes:
    """EXIF whose tags all point at the same values."""
    entries = b"".join(struct.pack("<HHII", 0x9000 + i, 4, values, 8) for i in range(tags))
    block = struct.pack("<H", tags) + entries + struct.pack("<I", next_directory)
    return b"Exif\0\0II*\0\x08\0\0\0" + block + bytes(padding)


def _orientation(value: int) -> bytes:
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, value) + bytes(4)


def _large(**options: object) -> Callable[[], bytes]:
    """A photo of 50 megapixels."""
    return lambda: saved(drawn(8660, 5773), "JPEG", quality=70, **options)


def _claims_full_colour() -> bytes:
    return _resized(_jpeg(progressive=True, subsampling=0), 8660, 5773)


def _mpo(count: int) -> bytes:
    buffer = io.BytesIO()
    drawn().save(buffer, "MPO", save_all=True, append_images=[drawn()] * (count - 1))
    return buffer.getvalue()


def _cut(fraction: float) -> Callable[[], bytes]:
    return lambda: (data := saved(noise(200, 200), "JPEG"))[: int(len(data) * fraction)]


JPEG_CASES = (
    photo_case("JPEG: 2,000 scans", lambda: _repeated_scans(640, 480, 2000), REFUSED_SIZE),
    photo_case("JPEG: 20,000 scans", lambda: _repeated_scans(64, 48, 20_000), REFUSED_SIZE),
    photo_case("JPEG: 60 scans of 40 megapixels", lambda: _repeated_scans(8000, 5000, 60), REFUSED_SIZE),
    photo_case("JPEG: 24 scans of 40 megapixels", lambda: _repeated_scans(8000, 5000, 24), ACCEPTED),
    photo_case("JPEG: 60 scans of a small photo", lambda: _repeated_scans(640, 480, 60), ACCEPTED),
    photo_case("JPEG: 6,000 scans in a reserved segment", lambda: _hidden_scans(8000, 5000, 6000), REFUSED_SIZE),
    photo_case("JPEG: components of one id", lambda: _one_id(8660, 5773), REFUSED_SIZE),
    photo_case("JPEG: fill bytes in front", lambda: _with(b"\xff" * 19_000_000), ACCEPTED),
    photo_case("JPEG: fill bytes before its scan", lambda: _before_scan(b"\xff" * 19_000_000), ACCEPTED),
    photo_case("JPEG: fill bytes within its scan", lambda: _in_scan(b"\xff" * 19_000_000 + b"\0"), REFUSED_SIZE),
    photo_case("JPEG: zeros before its scan", lambda: _before_scan(bytes(19_000_000)), ACCEPTED),
    photo_case("JPEG: stuffed bytes before its scan", lambda: _before_scan(b"\xff\0" * 9_500_000), ACCEPTED),
    photo_case("JPEG: stuffed bytes within its scan", lambda: _in_scan(b"\xff\0" * 9_500_000), ACCEPTED | DAMAGED),
    photo_case("JPEG: four million comments", lambda: _with(segment(0xFE, b"") * 4_000_000), REFUSED_SIZE),
    photo_case("JPEG: four million restart markers", lambda: _with(b"\xff\xd0" * 4_000_000), REFUSED_SIZE),
    photo_case("JPEG: restart markers within its scan", lambda: _in_scan(b"\xff\xd0" * 4_000_000), ACCEPTED | DAMAGED),
    photo_case("JPEG: 300 comments of 64 kB", lambda: _with(segment(0xFE, bytes(65_000)) * 300), ACCEPTED),
    photo_case("JPEG: comments between scans", lambda: _between_scans(segment(0xFE, b"") * 1_000_000), REFUSED_SIZE),
    photo_case("JPEG: a colour profile of 16 MB", lambda: _with(*_profile(255)), ACCEPTED),
    photo_case("JPEG: a thumbnail in a thumbnail", lambda: _with(segment(0xE1, _nested(5))), ACCEPTED),
    photo_case("JPEG: EXIF tags on the same values", lambda: _with(segment(0xE1, _exif(5000, 16_000))), ACCEPTED),
    photo_case("JPEG: EXIF of 19 MB", lambda: _with(*_long_exif(290)), ACCEPTED),
    photo_case("JPEG: EXIF in a loop", lambda: _with(segment(0xE1, _exif(2, 1, next_directory=8))), ACCEPTED),
    photo_case("JPEG: EXIF with 4 billion values", lambda: _with(segment(0xE1, _exif(1, 2**32 - 1))), ACCEPTED),
    photo_case("JPEG: XMP of 64 kB", lambda: _with(segment(0xE1, _xmp())), ACCEPTED),
    photo_case("JPEG: orientation 65535", lambda: _with(segment(0xE1, _orientation(65535))), ACCEPTED),
    photo_case("JPEG: 300 tables", lambda: _with(segment(0xDB, b"\0" + b"\1" * 64) * 300), ACCEPTED),
    photo_case("JPEG: arithmetic coding", lambda: _frame_marker(0xC9), NO_PHOTO),
    photo_case("JPEG: progressive arithmetic coding", lambda: _frame_marker(0xCA), NO_PHOTO),
    photo_case("JPEG: lossless", lambda: _frame_marker(0xC3), NO_PHOTO),
    photo_case("JPEG: hierarchical", lambda: _frame_marker(0xC5), NO_PHOTO),
    photo_case("JPEG: 12 bits", lambda: _frame_marker(0xC1, 12), NO_PHOTO),
    photo_case("JPEG: two frame headers", lambda: _twice(b"\xff\xc0"), DAMAGED),
    photo_case("JPEG: claims 65,500 x 65,500", lambda: _resized(_jpeg(), 65_500, 65_500), REFUSED_SIZE),
    photo_case("JPEG: claims 7,000 x 7,000", lambda: _resized(_jpeg(), 7000, 7000), ACCEPTED | DAMAGED),
    photo_case("JPEG: claims 0 x 480", lambda: _resized(_jpeg(), 0, 480), DAMAGED),
    photo_case("JPEG: 50 megapixels", _large(), ACCEPTED),
    photo_case("JPEG: 50 megapixels, progressive", _large(progressive=True), ACCEPTED),
    photo_case("JPEG: 50 megapixels, progressive, full colour", _claims_full_colour, REFUSED_SIZE),
    photo_case("JPEG: 19 MB of noise", lambda: saved(noise(4000, 3300), "JPEG", quality=90), ACCEPTED),
    photo_case("JPEG: CMYK", lambda: saved(drawn(mode="CMYK"), "JPEG"), ACCEPTED),
    photo_case("JPEG: 65,500 x 1", lambda: saved(drawn(65_500, 1), "JPEG"), ACCEPTED),
    photo_case("JPEG: 1 x 65,500", lambda: saved(drawn(1, 65_500), "JPEG"), ACCEPTED),
    photo_case("JPEG: 1 x 1", lambda: saved(drawn(1, 1), "JPEG"), ACCEPTED),
    photo_case("JPEG: 20 views", lambda: _mpo(20), ACCEPTED),
    photo_case("JPEG: cut in its header", lambda: _jpeg()[:100], DAMAGED),
    photo_case("JPEG: three bytes", lambda: b"\xff\xd8\xff", DAMAGED),
    photo_case("JPEG: half of it", _cut(0.5), DAMAGED),
    photo_case("JPEG: without its end", lambda: _jpeg()[:-2], ACCEPTED | DAMAGED),
    photo_case("JPEG: a ZIP file behind it", lambda: _jpeg() + b"PK\3\4" + bytes(100_000), ACCEPTED),
    photo_case("JPEG: scans behind its end", lambda: _jpeg() + _repeated_scans(640, 480, 2000), ACCEPTED),
    photo_case("JPEG: 19 MB of fill bytes behind it", lambda: (_jpeg() + b"\xff" * MAX_BYTES)[:MAX_BYTES], ACCEPTED),
)


def _between_scans(filling: bytes) -> bytes:
    data = _jpeg(progressive=True)
    at = data.index(SCAN, data.index(SCAN) + 2)
    return data[:at] + filling + data[at:]


def _profile(parts: int) -> list[bytes]:
    return [segment(0xE2, b"ICC_PROFILE\0" + bytes([i + 1, parts]) + bytes(64_000)) for i in range(parts)]


def _long_exif(parts: int) -> list[bytes]:
    """65,535 tags over several segments."""
    return [segment(0xE1, (_exif(5000, 1000) if not i else b"Exif\0\0")[:60_100] + bytes(5000)) for i in range(parts)]


def _nested(depth: int) -> bytes:
    """EXIF with a thumbnail that has EXIF with a thumbnail, and so on."""
    thumbnail = saved(drawn(16, 12), "JPEG")
    for _ in range(depth):
        thumbnail = thumbnail[:2] + segment(0xE1, _exif(1, 1) + thumbnail) + thumbnail[2:]
    return _exif(1, 1) + thumbnail


def _xmp() -> bytes:
    return b"http://ns.adobe.com/xap/1.0/\0" + b"tiff:Orientation=" * 3800


def _twice(marker: bytes) -> bytes:
    data = _jpeg()
    at = data.index(marker)
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:end] + data[at:end] + data[end:]
