"""BigTIFF: offsets and counts have 8 bytes, and may be larger than any file."""

import struct

import pytest

from resformer.model.errors import CorruptImage, ImageTooLarge
from resformer.model.images.loading import decode_photo

SHORT, LONG, LONG8 = 3, 4, 16
START = 16
WIDTH, HEIGHT = 4, 3
HUGE = [2**32, 2**63 - 1, 2**63, 2**64 - 1]


def big_tiff(*others: tuple[int, int, int, int], first: int | None = None, following: int = 0) -> bytes:
    """A grey photo of one page; `others` are tags, or replace some: id, type, number of values, value or offset."""
    tags = {
        256: (LONG, 1, WIDTH),
        257: (LONG, 1, HEIGHT),
        258: (SHORT, 1, 8),
        259: (SHORT, 1, 1),
        262: (SHORT, 1, 1),
        273: (LONG8, 1, START),
        277: (SHORT, 1, 1),
        278: (LONG, 1, HEIGHT),
        279: (LONG8, 1, WIDTH * HEIGHT),
    } | {tag: (kind, count, value) for tag, kind, count, value in others}
    page = START + WIDTH * HEIGHT
    data = b"II+\0\x08\0\0\0" + struct.pack("<Q", page if first is None else first) + b"\x50" * (WIDTH * HEIGHT)
    data += struct.pack("<Q", len(tags)) + b"".join(struct.pack("<HHQQ", i, *tag) for i, tag in sorted(tags.items()))
    return data + struct.pack("<Q", following)


def test_it_is_read() -> None:
    assert decode_photo(big_tiff()).tolist() == [[[0x50] * 3] * WIDTH] * HEIGHT


@pytest.mark.parametrize("offset", HUGE)
def test_a_page_beyond_the_file_is_damage(offset: int) -> None:
    with pytest.raises(CorruptImage, match="tags are cut off"):
        decode_photo(big_tiff(first=offset))
    # The page before it is usable.
    assert decode_photo(big_tiff(following=offset)).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("offset", HUGE)
@pytest.mark.parametrize("tag", [256, 258, 273, 279, 700])
def test_values_beyond_the_file_are_damage(tag: int, offset: int) -> None:
    """Of XMP and of the length of the one plain strip they are nothing: decoding does not need these."""
    data = big_tiff((tag, LONG8 if tag != 700 else 1, 9, offset))
    if tag in (279, 700):
        assert decode_photo(data).shape == (HEIGHT, WIDTH, 3)
    else:
        with pytest.raises(CorruptImage):
            decode_photo(data)


@pytest.mark.parametrize("number", HUGE)
def test_more_values_than_the_file_has_are_refused(number: int) -> None:
    with pytest.raises((CorruptImage, ImageTooLarge)):
        decode_photo(big_tiff((273, LONG8, number, START)))
    with pytest.raises(CorruptImage):
        decode_photo(big_tiff((258, SHORT, number, START)))
