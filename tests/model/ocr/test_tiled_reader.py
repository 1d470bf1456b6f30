"""Long pages and wide banners are read in tiles: every line once, where it is, and whole."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from resformer.model.ocr.text_line import TextLine
from resformer.model.ocr.tiled_reader import MAX_TILES, TiledReader, tiles_of

SIDE = 1000
Box = tuple[int, int, int, int]


class BlockReader:
    """Reads every black block as a line whose text is its size."""

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        return [self.read(image) for image in images]

    def read_parts(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        return self.read_many(images)

    def read(self, image: np.ndarray) -> list[TextLine]:
        self.images.append(image)
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] < 20).astype(np.uint8))
        lines = []
        for x, y, w, h, _ in stats[1:].astype(float):
            lines.append(TextLine(((x, y), (x + w, y), (x + w, y + h), (x, y + h)), f"{w:.0f}x{h:.0f}", 1.0))
        return lines


def photo(width: int, height: int, blocks: list[Box], noise: bool = False) -> np.ndarray:
    """Black blocks x, y, w, h on white, or on noise."""
    image = np.full((height, width, 3), 255, np.uint8)
    if noise:
        image[:] = np.random.default_rng(0).integers(60, 256, (height, width, 1), np.uint8)
    for x, y, w, h in blocks:
        image[y : y + h, x : x + w] = 0
    return image


def boxes(lines: list[TextLine]) -> list[Box]:
    return [(int(x0), int(y0), int(x1 - x0), int(y1 - y0)) for x0, y0, x1, y1 in (line.box for line in lines)]


@pytest.mark.parametrize(
    ("width", "height"),
    [(960, 960), (900, 1200), (4000, 3000), (1080, 2400), (2400, 1080), (400, 1000), (100, 999), (1, 1)],
)
def test_photos_of_usual_shapes_and_sizes_are_read_as_they_are(width: int, height: int) -> None:
    reader, image = BlockReader(), photo(width, height, [])
    assert tiles_of(image, SIDE) == []
    TiledReader(reader, SIDE).read(image)
    (read,) = reader.images
    assert read is image


SHAPES = [(790, 8000), (400, 1001), (1080, 4000), (5000, 300), (8000, 900), (1500, 4000), (4000, 1500)]


@pytest.mark.parametrize(("width", "height"), [*SHAPES, (3, 5000), (1, 3000), (3000, 1)])
@pytest.mark.parametrize("noise", [False, True])
def test_tiles_cover_a_photo_once(width: int, height: int, noise: bool) -> None:
    image = photo(width, height, [], noise)
    tiles = tiles_of(image, SIDE)
    assert 1 < len(tiles) <= MAX_TILES
    seen = np.zeros((height, width), int)
    for tile in tiles:
        seen[tile.rows.begin : tile.rows.end, tile.columns.begin : tile.columns.end] += 1
        assert tile.rows.first <= tile.rows.begin < tile.rows.end <= tile.rows.last <= height
        assert tile.columns.first <= tile.columns.begin < tile.columns.end <= tile.columns.last <= width
        assert max(tile.pixels(image).shape) <= SIDE + 2 * 64
    assert (seen == 1).all()


@pytest.mark.parametrize(("width", "height"), SHAPES)
@pytest.mark.parametrize("step", [14, 33, 90, 210])
def test_every_line_is_read_once_and_whole(width: int, height: int, step: int) -> None:
    size = 2 * step // 3
    blocks = [
        (x, y, min(size, width - x), size)
        for y in range(2, height - step, step)
        for x in range(0, max(1, width - step), step)
        if (x * 7 + y) % 5 == 0
    ]
    lines = TiledReader(BlockReader(), SIDE).read(photo(width, height, blocks))
    assert sorted(boxes(lines)) == sorted(blocks)
    assert [line.box[1] for line in lines] == sorted(line.box[1] for line in lines)
    assert all(line.text == f"{w}x{h}" for line, (_, _, w, h) in zip(lines, boxes(lines), strict=True))


def test_a_wide_line_is_cut_between_words() -> None:
    words = [(x, 100, 170, 40) for x in range(20, 5800, 190)]
    lines = TiledReader(BlockReader(), SIDE).read(photo(6000, 300, words))
    assert boxes(lines) == words


def test_where_no_row_is_empty_lines_at_an_end_are_read_whole_from_one_tile() -> None:
    # A pattern down the left side, and lines that are no higher than the margin.
    image = photo(600, 5000, [])
    image[::2, :100] = 90
    image[:, 20:40] = 0
    image[:, 20:40:2] = 255
    blocks = [(200, y, 120, 40) for y in range(3, 4900, 47)]
    for x, y, w, h in blocks:
        image[y : y + h, x : x + w] = 0
    found = boxes(TiledReader(BlockReader(), SIDE).read(image))
    assert [box for box in found if box[0] == 200] == blocks


def test_a_photo_beyond_the_limit_has_longer_tiles() -> None:
    image = photo(500, 60_000, [])
    tiles = tiles_of(image, SIDE)
    assert len(tiles) <= MAX_TILES
    assert max(tile.rows.end - tile.rows.begin for tile in tiles) > SIDE


def test_photos_of_all_shapes_are_read_together_as_alone() -> None:
    photos = [
        photo(width, height, [(x, 30, 20, 20) for x in range(5, width - 30, 60)])
        for width, height in ((960, 960), (5000, 300), (400, 1000), (790, 9000))
    ]
    together = TiledReader(BlockReader(), SIDE).read_many(photos)
    assert together == [TiledReader(BlockReader(), SIDE).read(image) for image in photos]
    assert all(together)
