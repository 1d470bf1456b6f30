"""TIFF files whose parts overlap: decoders read what was looked at."""

import struct
from io import BytesIO

from PIL import TiffImagePlugin

from resformer.model.images.containers.tiff import read_tiff

SHORT, LONG, LONG8 = 3, 4, 16
TILE_WIDTH = 322
WIDTH, HEIGHT = 4, 3


def test_a_page_within_the_tags_of_another_changes_none_of_them() -> None:
    """The type of its second tag is the upper half of an offset: without it, the offset is that of a larger value."""
    small, large = 0x1_0200, 0x200
    tags = [
        *((256, LONG, 1, WIDTH), (257, LONG, 1, HEIGHT), (258, SHORT, 1, 8), (262, SHORT, 1, 1)),
        *((273, LONG, 1, large + 8), (277, SHORT, 1, 1), (279, LONG, 1, WIDTH * HEIGHT)),
        (300, LONG, 2 << 16, 0),
        (TILE_WIDTH, LONG8, 1, small),
    ]
    page = small + 8
    inner = page + 2 + 12 * 7 + 6  # begins with the 2 of the tag before
    data = bytearray(page)
    data[:8] = struct.pack("<2sHI", b"II", 42, page)
    data[large : large + 8], data[small : small + 8] = struct.pack("<Q", 60_000), struct.pack("<Q", 16)
    data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    data += struct.pack("<I", inner) + bytes(64)

    container = read_tiff(bytes(data))

    image = TiffImagePlugin.TiffImageFile(BytesIO(container.data))
    assert image.tag_v2[TILE_WIDTH] == 16
    assert image.size == (WIDTH, HEIGHT)
    assert container.frames == 2
