"""TIFF: pages, their tags, and the strips or tiles of their pixels."""

import struct
from collections.abc import Sequence
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

# Bytes of a value, by the type of its tag: unsigned integers, and what has no type.
VALUE_SIZES = {1: 1, 3: 2, 4: 4, 7: 1, 16: 8}
INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
WIDTH, HEIGHT, COMPRESSION, BITS, STRIPS, ORIENTATION, SAMPLES = 256, 257, 259, 258, 273, 274, 277
STRIP_BYTES, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, JPEG_TABLES, XMP = 279, 322, 323, 324, 325, 347, 700
PARTS = frozenset({STRIPS, STRIP_BYTES, TILES, TILE_BYTES})
# What decoding needs: sizes, samples, colours, compression, and where the pixels are.
NEEDED = PARTS | {
    *(254, WIDTH, HEIGHT, BITS, COMPRESSION, 262, 266, ORIENTATION, SAMPLES, 278, 284, 292, 293, 317, 320),
    *(TILE_WIDTH, TILE_HEIGHT, 332, 338, 339, JPEG_TABLES, 530),
}
RAW, JPEG = 1, 7
# Uncompressed, CCITT, LZW, JPEG, deflate, PackBits.
COMPRESSIONS = frozenset({RAW, 2, 3, 4, 5, JPEG, 8, 32773, 32946})


@dataclass(frozen=True)
class _Layout:
    """How integers are written: `<` or `>`, and whether offsets have 8 bytes."""

    order: str
    big: bool

    @property
    def first(self) -> int:
        """Where the offset of the first page stands."""
        return 8 if self.big else 4

    @property
    def tag_bytes(self) -> int:
        return 20 if self.big else 12

    @property
    def offset_bytes(self) -> int:
        return 8 if self.big else 4

    def count(self, data: bytes, at: int) -> tuple[int, int]:
        """The number of tags of the page at an offset, and where they begin."""
        (count,) = struct.unpack_from(self._count, data, at)
        return int(count), at + struct.calcsize(self._count)

    def offset(self, data: bytes, at: int) -> int:
        (offset,) = struct.unpack_from(self._offset, data, at)
        return int(offset)

    def tag(self, data: bytes, at: int) -> tuple[int, int, int]:
        """Its id, type and number of values."""
        tag, kind, count = struct.unpack_from(self.order + ("HHQ8x" if self.big else "HHI4x"), data, at)
        return tag, kind, count

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

    def written_offset(self, offset: int) -> bytes:
        return struct.pack(self._offset, offset)

    def written_page(self, tags: Sequence[bytes], follower: int) -> bytes:
        """A page of tags as they are written; `follower` is the offset of the next one, or 0."""
        return struct.pack(self._count, len(tags)) + b"".join(tags) + self.written_offset(follower)

    @property
    def _count(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def _offset(self) -> str:
        return self.order + ("Q" if self.big else "I")


def read_tiff(data: bytes) -> Container:
    """The file with the pages that are looked at and the tags that decoding needs.

    Raises:
        ImageTooLarge: there are too many pages, or a page has too many tags, strips, tiles or samples.
        UnsupportedImage: the first page is compressed in an uncommon way.
        CorruptImage: its tags are cut off.
    """
    layout = _Layout("<" if data[:2] == b"II" else ">", big=data[2:3] == b"+")
    pages: list[list[bytes]] = []
    seen: set[int] = set()
    orientation = 1
    whole = data
    try:
        page = layout.offset(data, layout.first)
        # The decoder's pages will stand behind the file, whose other bytes stay as they are looked at here.
        start = len(data) + len(data) % 2
        whole = data[: layout.first] + layout.written_offset(start) + data[layout.first + layout.offset_bytes :]
        while page and page not in seen:
            if len(seen) == MAX_PAGES:
                too_complex("TIFF", "pages", MAX_PAGES)
            count, first = layout.count(whole, page)
            if len(pages) < MAX_FRAMES:
                tags = _tags(whole, layout, count, first)
                _check(whole, layout, tags)
                if not pages:
                    orientation = _xmp_orientation(whole, layout, tags)
                pages.append([whole[at : at + layout.tag_bytes] for tag, at in tags.items() if tag in NEEDED])
            seen.add(page)
            page = layout.offset(whole, first + count * layout.tag_bytes)
    except ImageTooLarge:
        raise
    except (ResformerError, struct.error, OverflowError) as error:  # BigTIFF offsets have 64 bits
        if not pages:
            raise error if isinstance(error, ResformerError) else damaged("its tags are cut off") from error
        # The pages before it are usable.
    needed = whole + bytes(len(data) % 2)
    for i, kept in enumerate(pages):
        follower = len(needed) + len(layout.written_page(kept, 0)) if i + 1 < len(pages) else 0
        needed += layout.written_page(kept, follower)
    return Container(needed, "TIFF", orientation, frames=len(seen))


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
        types = VALUE_SIZES if tag == JPEG_TABLES else INTEGERS
        if tag in NEEDED and (values > MAX_VALUES or kind not in types):
            raise damaged(f"tag {tag} has {values} values of type {kind}")
    return tags


def _check(data: bytes, layout: _Layout, tags: dict[int, int]) -> None:
    """Raises what read_tiff does for a page."""

    def one(tag: int, otherwise: int) -> int:
        values = layout.values(data, tags[tag]) if tag in tags else ()
        return values[0] if values else otherwise

    width, height, samples = one(WIDTH, 0), one(HEIGHT, 0), one(SAMPLES, 1)
    tile_width, tile_height = one(TILE_WIDTH, 0), one(TILE_HEIGHT, 0)
    pixels = _in_tiles(width, tile_width) * _in_tiles(height, tile_height)
    if pixels * samples * one(BITS, 1) > 8 * MAX_SAMPLE_BYTES:
        tiles = f" in tiles of {tile_width} x {tile_height}" if tile_width else ""
        raise ImageTooLarge(
            f"the photo has {width} x {height} pixels of {samples} samples{tiles}, more than the {MAX_SAMPLE_BYTES} "
            "bytes taken here of a TIFF file; send it smaller"
        )
    compression = one(COMPRESSION, RAW)
    if compression not in COMPRESSIONS:
        unsupported(f"a TIFF file with compression {compression}")
    if tile_width * tile_height > MAX_TILE:
        too_complex("TIFF", "pixels in a tile", MAX_TILE)
    if compression == JPEG:
        offsets, sizes = (TILES, TILE_BYTES) if TILES in tags else (STRIPS, STRIP_BYTES)
        if PARTS & tags.keys() != {offsets, sizes}:
            raise damaged("its strips or tiles have no sizes")
        _check_scans(data, layout.values(data, tags[offsets]), layout.values(data, tags[sizes]))


def _in_tiles(side: int, tile: int) -> int:
    """Pixels of a side: tiles are decoded as a whole."""
    return -(-side // tile) * tile if tile else side


def _check_scans(data: bytes, offsets: Sequence[int], sizes: Sequence[int]) -> None:
    if len(offsets) != len(sizes) or 0 in sizes:  # decoders would guess
        raise damaged("its strips or tiles have no sizes")
    if sum(sizes) > MAX_OVERLAP * len(data):
        raise damaged("its strips or tiles overlap")
    for offset, size in zip(offsets, sizes, strict=True):
        if data.count(b"\xff\xda", offset, offset + size) > MAX_JPEG_SCANS:
            too_complex("TIFF", "JPEG scans in a strip or tile", MAX_JPEG_SCANS)


def _xmp_orientation(data: bytes, layout: _Layout, tags: dict[int, int]) -> int:
    """What XMP states where the page has no tag for it, which the decoder follows itself."""
    if ORIENTATION in tags or XMP not in tags:
        return 1
    place, (_, _, count) = layout.place(data, tags[XMP]), layout.tag(data, tags[XMP])
    return xmp_orientation(data[place : place + count]) or 1
