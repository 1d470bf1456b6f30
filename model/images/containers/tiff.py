"""TIFF: pages, their tags, and the strips or tiles of their pixels."""

import struct
from dataclasses import dataclass

from resformer.model.errors import ImageTooLarge, ResformerError
from resformer.model.images.containers.container import (
    MAX_FRAMES,
    MAX_SAMPLE_BYTES,
    Container,
    damaged,
    too_complex,
    unsupported,
)
from resformer.model.images.orientation import xmp_orientation

__all__ = ["read_tiff"]

MAX_PAGES = 10_000  # counted, of which MAX_FRAMES are looked at
MAX_TAGS = 1000  # of a page
MAX_PARTS = 20_000  # strips or tiles of a page
MAX_VALUES = 100_000  # of another tag: colour maps and JPEG tables are smaller
MAX_TILE = 4_000_000  # pixels
MAX_JPEG_SCANS = 4  # of a strip or tile: one for each component
MAX_OVERLAP = 2  # times the file's bytes that strips of JPEG data have together

VALUE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 16: 8}
INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
WIDTH, HEIGHT, COMPRESSION, BITS, STRIPS, ORIENTATION, SAMPLES = 256, 257, 259, 258, 273, 274, 277
STRIP_BYTES, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, XMP = 279, 322, 323, 324, 325, 700
PARTS = frozenset({STRIPS, STRIP_BYTES, TILES, TILE_BYTES})
# What decoding needs: sizes, samples, colours, compression, and where the pixels are.
NEEDED = PARTS | {
    *(254, WIDTH, HEIGHT, BITS, COMPRESSION, 262, 266, ORIENTATION, SAMPLES, 278, 284, 292, 293, 317, 320),
    *(TILE_WIDTH, TILE_HEIGHT, 332, 338, 339, 347, 530),
}
RAW, JPEG = 1, 7
# Uncompressed, CCITT, LZW, JPEG, deflate, PackBits.
COMPRESSIONS = frozenset({RAW, 2, 3, 4, 5, JPEG, 8, 32773, 32946})


@dataclass(frozen=True)
class _Layout:
    """How integers are written: `<` or `>`, and whether offsets have 8 bytes."""

    order: str
    big: bool

    def count(self, data: bytes, at: int) -> tuple[int, int]:
        """The number of tags of the page at an offset, and where they begin."""
        form = "Q" if self.big else "H"
        return self._read(form, data, at), at + struct.calcsize(f"{self.order}{form}")

    def offset(self, data: bytes, at: int) -> int:
        return self._read("Q" if self.big else "I", data, at)

    def tag(self, data: bytes | bytearray, at: int) -> tuple[int, int, int]:
        """Its id, type and number of values."""
        tag, kind, count = struct.unpack_from(self.order + ("HHQ" if self.big else "HHI"), data, at)
        return tag, kind, count

    @property
    def tag_bytes(self) -> int:
        return 20 if self.big else 12

    @property
    def offset_bytes(self) -> int:
        return 8 if self.big else 4

    def values(self, data: bytes, at: int) -> tuple[int, ...]:
        """The integers of the tag at a position; none of other types."""
        _, kind, count = self.tag(data, at)
        if kind not in INTEGERS:
            return ()
        return struct.unpack_from(f"{self.order}{count}{INTEGERS[kind]}", data, self.place(data, at))

    def place(self, data: bytes, at: int) -> int:
        """Where the values of the tag at a position are: in it, where they are few."""
        _, kind, count = self.tag(data, at)
        inside = at + self.tag_bytes - self.offset_bytes
        fits = count * VALUE_SIZES.get(kind, 1) <= self.offset_bytes
        return inside if fits else self.offset(data, inside)

    def _read(self, form: str, data: bytes, at: int) -> int:
        (value,) = struct.unpack_from(self.order + form, data, at)
        return int(value)


def read_tiff(data: bytes) -> Container:
    """The file with the pages that are looked at and the tags that decoding needs.

    Raises:
        ImageTooLarge: there are too many pages, or a page has too many tags, strips, tiles or samples.
        UnsupportedImage: the first page is compressed in an uncommon way.
        CorruptImage: its tags are cut off.
    """
    layout = _Layout("<" if data[:2] == b"II" else ">", 43 in data[2:4])
    needed = bytearray(data)
    seen: set[int] = set()
    orientation = 1
    try:
        pointer = 8 if layout.big else 4
        page = layout.offset(data, pointer)
        while page and page not in seen:
            if len(seen) == MAX_PAGES:
                too_complex("TIFF", "pages", MAX_PAGES)
            count, first = layout.count(data, page)
            if len(seen) < MAX_FRAMES:
                tags = _tags(data, layout, count, first)
                _check(data, layout, tags)
                _strip(needed, layout, count, first)
                if not seen:
                    orientation = _xmp_orientation(data, layout, tags)
            else:
                _end_chain(needed, layout, pointer)
            seen.add(page)
            pointer = first + count * layout.tag_bytes
            page = layout.offset(data, pointer)
        if page:
            _end_chain(needed, layout, pointer)
    except ImageTooLarge:
        raise
    except (ResformerError, struct.error, OverflowError) as error:  # offsets of 8 bytes may be too large for Python
        if not seen:
            raise error if isinstance(error, ResformerError) else damaged("its tags are cut off") from error
        # The pages before it are usable.
        _end_chain(needed, layout, pointer)
    return Container(bytes(needed), "TIFF", orientation, frames=len(seen))


def _tags(data: bytes, layout: _Layout, count: int, first: int) -> dict[int, int]:
    """The positions of a page's tags; of one that is repeated, of the first."""
    if count > MAX_TAGS:
        too_complex("TIFF", "tags on a page", MAX_TAGS)
    tags: dict[int, int] = {}
    for at in range(first, first + count * layout.tag_bytes, layout.tag_bytes):
        tag, kind, values = layout.tag(data, at)
        tags.setdefault(tag, at)
        if tag in PARTS and values > MAX_PARTS:
            too_complex("TIFF", "strips or tiles", MAX_PARTS)
        if tag in NEEDED and (values > MAX_VALUES or kind not in VALUE_SIZES):
            raise damaged(f"tag {tag} has {values} values of type {kind}")
    return tags


def _check(data: bytes, layout: _Layout, tags: dict[int, int]) -> None:
    """Raises what read_tiff does for a page."""

    def one(tag: int, otherwise: int) -> int:
        values = layout.values(data, tags[tag]) if tag in tags else ()
        return values[0] if values else otherwise

    pixels = one(WIDTH, 0) * one(HEIGHT, 0)
    if pixels * one(SAMPLES, 1) * one(BITS, 1) > 8 * MAX_SAMPLE_BYTES:
        raise ImageTooLarge(
            f"the photo has {one(WIDTH, 0)} x {one(HEIGHT, 0)} pixels of {one(SAMPLES, 1)} samples, more than the "
            f"{MAX_SAMPLE_BYTES} bytes taken here of a TIFF file; send it smaller"
        )
    compression = one(COMPRESSION, RAW)
    if compression not in COMPRESSIONS:
        unsupported(f"a TIFF file with compression {compression}")
    if one(TILE_WIDTH, 0) * one(TILE_HEIGHT, 0) > MAX_TILE:
        too_complex("TIFF", "pixels in a tile", MAX_TILE)
    if compression == JPEG:
        for offsets, sizes in ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES)):
            if offsets in tags and sizes in tags:
                _check_scans(data, layout.values(data, tags[offsets]), layout.values(data, tags[sizes]))


def _check_scans(data: bytes, offsets: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    if sum(sizes) > MAX_OVERLAP * len(data):
        raise damaged("its strips or tiles overlap")
    for offset, size in zip(offsets, sizes, strict=False):
        if data.count(b"\xff\xda", offset, offset + size) > MAX_JPEG_SCANS:
            too_complex("TIFF", "JPEG scans in a strip or tile", MAX_JPEG_SCANS)


def _strip(needed: bytearray, layout: _Layout, count: int, first: int) -> None:
    """Gives the tags that decoding does not need, or that are repeated, a type that decoders pass over."""
    kept: set[int] = set()
    for at in range(first, first + count * layout.tag_bytes, layout.tag_bytes):
        tag, _, _ = layout.tag(needed, at)
        if tag not in NEEDED or tag in kept:
            needed[at + 2 : at + 4] = b"\0\0"
        kept.add(tag)


def _xmp_orientation(data: bytes, layout: _Layout, tags: dict[int, int]) -> int:
    """What XMP states where the page has no tag for it, which the decoder follows itself."""
    if ORIENTATION in tags or XMP not in tags:
        return 1
    place, (_, _, count) = layout.place(data, tags[XMP]), layout.tag(data, tags[XMP])
    return xmp_orientation(data[place : place + count]) or 1


def _end_chain(needed: bytearray, layout: _Layout, pointer: int) -> None:
    """Makes the page whose pointer to the next stands at a position the last one."""
    if pointer + layout.offset_bytes <= len(needed):
        needed[pointer : pointer + layout.offset_bytes] = bytes(layout.offset_bytes)
