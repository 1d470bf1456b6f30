"""Hostile TIFF files."""

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from resformer.scripts.hostile.photo_files import (
    ACCEPTED,
    DAMAGED,
    NO_PHOTO,
    REFUSED_SIZE,
    drawn,
    photo_case,
    saved,
    tiff,
)

__all__ = ["TIFF_CASES"]

SHORT, LONG, UNDEFINED = 3, 4, 7
Tags = list[tuple[int, int, int, int]]


def _page(width: int = 64, height: int = 48, *, compression: int = 1, others: Tags | None = None) -> Tags:
    """The tags of a grey page whose pixels, in one strip, begin at offset 8."""
    tags = {
        256: (LONG, 1, width),
        257: (LONG, 1, height),
        258: (SHORT, 1, 8),
        259: (SHORT, 1, compression),
        262: (SHORT, 1, 1),
        273: (LONG, 1, 8),
        277: (SHORT, 1, 1),
        278: (LONG, 1, height),
        279: (LONG, 1, width * height),
    } | {tag: (kind, count, value) for tag, kind, count, value in others or ()}
    return [(tag, *rest) for tag, rest in tags.items()]


def _photo(
    *others: tuple[int, int, int, int], content: bytes = b"", next_page: int | None = None
) -> Callable[[], bytes]:
    """A small photo with other tags; `content` stands at offset 8 + 64 * 48."""
    return lambda: tiff([_page(others=list(others))], bytes(64 * 48) + content, next_page=next_page)


def _strips(count: int) -> Callable[[], bytes]:
    """A photo one pixel wide in so many strips of one pixel."""
    offsets = 8 + count
    others = [(273, LONG, count, offsets), (279, LONG, count, offsets + 4 * count), (278, LONG, 1, 1)]
    content = bytes(count) + b"".join(struct.pack("<I", 8 + i) for i in range(count)) + struct.pack("<I", 1) * count
    return lambda: tiff([_page(1, count, others=others)], content)


def _tiles(width: int, height: int, tile_width: int, tile_height: int) -> Callable[[], bytes]:
    """A photo whose tiles all are the same compressed bytes."""
    pixels = zlib.compress(bytes(tile_width * tile_height))
    count = -(-width // tile_width) * -(-height // tile_height)
    start = 8 + len(pixels) + len(pixels) % 2
    tags = [tag for tag in _page(width, height, compression=8) if tag[0] not in (273, 278, 279)]
    tags += [(322, LONG, 1, tile_width), (323, LONG, 1, tile_height)]
    tags += [(324, LONG, count, start), (325, LONG, count, start + 4 * count)]
    content = pixels + bytes(len(pixels) % 2)
    return lambda: tiff([tags], content + struct.pack("<I", 8) * count + struct.pack("<I", len(pixels)) * count)


def _jpeg_scans(count: int, width: int = 640, height: int = 480, *, size: int | None = None) -> bytes:
    """A photo whose strip, of a size that may be wrong, is a progressive JPEG file with a repeated scan."""
    data = saved(Image.new("L", (width, height), 200), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    data = data[:last] + data[last:-2] * count + data[-2:]
    strip = (279, LONG, 1, len(data) if size is None else size)
    return tiff([_page(width, height, compression=7, others=[strip])], data)


def _big_endian(strips: int) -> bytes:
    """A BigTIFF file without pages. Pillow, which does not know its first bytes, sees a TIFF file of many strips."""
    at = 8 + 8 + 16 + 2 + 12 * 9 + 4
    tags = [(256, LONG, 1), (257, LONG, strips), (258, SHORT, 8 << 16), (259, SHORT, 1 << 16), (262, SHORT, 1 << 16)]
    rows = [(tag, kind, 1, value) for tag, kind, value in (*tags, (277, SHORT, 1 << 16), (278, LONG, 1))]
    rows += [(273, LONG, strips, at), (279, LONG, strips, at + 4 * strips)]
    page = struct.pack(">H", 9) + b"".join(struct.pack(">HHII", *row) for row in sorted(rows)) + bytes(4)
    header = b"MM\0+" + struct.pack(">IQQQ", 32, 16, 0, 0)
    return header + page + struct.pack(">I", 8) * strips + struct.pack(">I", 1) * strips


def _deflated(
    width: int, height: int, samples: int = 1, bits: int = 8, *more: tuple[int, int, int, int]
) -> Callable[[], bytes]:
    """A black photo with more tags."""

    def make() -> bytes:
        pixels = zlib.compress(bytes(width * height * samples * bits // 8), 1)
        others = [(258, SHORT, 1, bits), (262, SHORT, 1, 2 if samples > 2 else 1), (277, SHORT, 1, samples), *more]
        return tiff([_page(width, height, compression=8, others=[*others, (279, LONG, 1, len(pixels))])], pixels)

    return make


TIFF_CASES = (
    photo_case("TIFF: 11,000 empty pages", lambda: tiff([_page(), *[[]] * 11_000], bytes(64 * 48)), REFUSED_SIZE),
    photo_case("TIFF: 9,000 pages", lambda: tiff([_page()] * 9000, bytes(64 * 48)), ACCEPTED),
    photo_case("TIFF: pages in a loop", _photo(next_page=8 + 64 * 48), ACCEPTED),
    photo_case("TIFF: a next page outside the file", _photo(next_page=2**32 - 2), ACCEPTED),
    photo_case("TIFF: 65,535 tags", _photo(*[(i, LONG, 1, 1) for i in range(400, 65_000)]), REFUSED_SIZE),
    photo_case("TIFF: 900 tags on the same values", _photo(*[(i, LONG, 700, 8) for i in range(1000, 1900)]), ACCEPTED),
    photo_case(
        "TIFF: a tag of 5 million rationals", _photo((282, 5, 2_000_000, 8), content=bytes(16_000_000)), ACCEPTED
    ),
    photo_case("TIFF: a tag of 4 billion values", _photo((700, 1, 2**32 - 1, 8)), ACCEPTED),
    photo_case("TIFF: 4 million bits a sample", _photo((258, SHORT, 4_000_000, 8), content=bytes(8_000_000)), DAMAGED),
    photo_case(
        "TIFF: a colour profile of 15 MB",
        _photo((34675, UNDEFINED, 15_000_000, 8), content=bytes(15_000_000)),
        ACCEPTED,
    ),
    photo_case("TIFF: an EXIF directory in a loop", _photo((34665, LONG, 1, 8 + 64 * 48)), ACCEPTED),
    photo_case("TIFF: 15,000 strips", _strips(15_000), ACCEPTED),
    photo_case("TIFF: 100,000 strips", _strips(100_000), REFUSED_SIZE),
    photo_case("TIFF: 2 million strips", _strips(2_000_000), REFUSED_SIZE),
    photo_case("TIFF: tiles of 16 x 16", _tiles(7000, 7000, 16, 16), REFUSED_SIZE),
    photo_case("TIFF: 10,000 tiles of the same bytes", _tiles(1600, 1600, 16, 16), ACCEPTED),
    photo_case("TIFF: large tiles of one column", _tiles(1, 20_000_000, 4000, 1000), REFUSED_SIZE),
    photo_case("TIFF: a tile of 60,000 x 60,000", lambda: tiff([_huge_tile()], b"tile"), REFUSED_SIZE),
    photo_case("TIFF: 2,000 JPEG scans", lambda: _jpeg_scans(2000), REFUSED_SIZE),
    photo_case("TIFF: 95 JPEG scans of no size", lambda: _jpeg_scans(90, 8000, 6000, size=0), DAMAGED),
    photo_case(
        "TIFF: overlapping JPEG strips",
        lambda: tiff([_overlapping()], struct.pack("<I", 8) * 1000 + struct.pack("<I", 4000) * 1000),
        DAMAGED,
    ),
    photo_case("TIFF: 49,000,000 x 1", _deflated(49_000_000, 1), REFUSED_SIZE),
    photo_case("TIFF: 60,000 x 60,000", lambda: tiff([_page(60_000, 60_000)], bytes(64)), REFUSED_SIZE),
    photo_case("TIFF: 7,000 x 7,000 without pixels", lambda: tiff([_page(7000, 7000)], bytes(64)), DAMAGED),
    photo_case("TIFF: 0 x 0", lambda: tiff([_page(0, 0)], bytes(64)), DAMAGED),
    photo_case("TIFF: 50 megapixels, grey", _deflated(8660, 5773), ACCEPTED),
    photo_case("TIFF: 50 megapixels of floats", _deflated(8660, 5773, bits=32), REFUSED_SIZE),
    photo_case("TIFF: 50 megapixels of a signed width", _deflated(8660, 5773, 4, 16, (256, 9, 1, 8660)), DAMAGED),
    photo_case("TIFF: floats", lambda: saved(drawn(mode="F"), "TIFF"), ACCEPTED),
    photo_case("TIFF: CMYK", lambda: saved(drawn(mode="CMYK"), "TIFF", compression="tiff_lzw"), ACCEPTED),
    photo_case("TIFF: 10 million samples a pixel", _photo((277, LONG, 1, 10_000_000)), REFUSED_SIZE | DAMAGED),
    photo_case("TIFF: 1 x 100,000", _deflated(1, 100_000), REFUSED_SIZE),
    photo_case("TIFF: 100,000 x 1", _deflated(100_000, 1), REFUSED_SIZE),
    *(
        photo_case(f"TIFF: compression {name}", _photo((259, SHORT, 1, number)), NO_PHOTO)
        for name, number in (
            ("old JPEG", 6),
            ("LZMA", 34925),
            ("Zstandard", 50000),
            ("WebP", 50001),
            ("SGI Log", 34676),
        )
    ),
    photo_case("TIFF: its first bytes alone", lambda: b"II*\0", DAMAGED),
    photo_case(
        "TIFF: a BigTIFF with 2**60 tags", lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60), REFUSED_SIZE
    ),
    photo_case(
        "TIFF: a BigTIFF with a page at 2**63",
        lambda: b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**63) + bytes(64),
        DAMAGED,
    ),
    photo_case("TIFF: a big-endian BigTIFF with 2 million strips", lambda: _big_endian(2_000_000), NO_PHOTO),
    photo_case("TIFF: a script behind it", lambda: saved(drawn(), "TIFF") + b"<script>alert(1)</script>", ACCEPTED),
)


def _huge_tile() -> Tags:
    tags = [tag for tag in _page() if tag[0] not in (273, 278, 279)]
    return [*tags, (322, LONG, 1, 60_000), (323, LONG, 1, 60_000), (324, LONG, 1, 8), (325, LONG, 1, 4)]


def _overlapping() -> Tags:
    others = [(273, LONG, 1000, 8), (279, LONG, 1000, 4008), (278, LONG, 1, 1)]
    return _page(64, 1000, compression=7, others=others)
