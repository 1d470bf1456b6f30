"""Reads long pages and wide banners in tiles, in which small text keeps a size that readers recognize."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from resformer.model.ocr.boxes import centre
from resformer.model.ocr.text_line import TextLine

__all__ = ["MAX_TILES", "MIN_ASPECT", "Tile", "TiledReader", "tiles_of"]

MIN_ASPECT = 2.5  # photos of usual shapes, also of phones, have one tile
MAX_TILES = 12
# A tile ends where the photo is empty, within this fraction of its length from its end.
WINDOW = 0.3
MIN_REST = 0.2  # of a tile's length: the last one is no shorter
STRONG_EDGE = 24  # grey levels from one pixel to the next; noise of JPEG files has less
BAND = 256  # rows that are looked at together, which bounds the memory
GAP = 25  # pixels; emptier surroundings of this size are preferred for an end
MARGIN = 64  # pixels of the neighbouring tile that are looked at too where the end is not empty


@dataclass(frozen=True)
class _Span:
    """A tile along one side: the centres of its lines are from `begin` to `end`, its pixels from `first` to `last`."""

    begin: int
    end: int
    first: int
    last: int


@dataclass(frozen=True)
class Tile:
    """A part of a photo, by columns and rows."""

    columns: _Span
    rows: _Span

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """Its pixels, uint8 (h, w, 3), as a view of the photo."""
        rows, columns = self.rows, self.columns
        return image[rows.first : rows.last, columns.first : columns.last]

    def holds(self, line: TextLine) -> bool:
        """Whether a line of the photo belongs to it, and not to a neighbour that sees it too."""
        x, y = centre(line.box)
        return self.columns.begin <= x < self.columns.end and self.rows.begin <= y < self.rows.end


class _Reader(Protocol):
    def read(self, image: np.ndarray) -> list[TextLine]: ...
    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]: ...
    def read_parts(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]: ...


class TiledReader:
    """Reads photos tile by tile, those of usual shapes as one.

    Attributes:
        reader: reads a tile.

    Args:
        tile_side: pixels of the longer side of a photo in which the reader finds text of 12 pixels.
    """

    def __init__(self, reader: _Reader, tile_side: int):
        self.reader = reader
        self._tile_side = tile_side

    def read(self, image: np.ndarray) -> list[TextLine]:
        """The text lines of an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        return self.read_many([image])[0]

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each of several upright photos, see `read` and BatchReader.

        Those of usual shapes are read together.
        """
        tiles = [tiles_of(image, self._tile_side) for image in images]
        usual = [image for image, parts in zip(images, tiles, strict=True) if not parts]
        together = iter(self.reader.read_many(usual, room))
        return [
            self._read_tiles(image, parts, room) if parts else next(together)
            for image, parts in zip(images, tiles, strict=True)
        ]

    def _read_tiles(self, image: np.ndarray, tiles: Sequence[Tile], room: float) -> list[TextLine]:
        read = self.reader.read_parts([tile.pixels(image) for tile in tiles], room)
        lines = [
            line
            for tile, parts in zip(tiles, read, strict=True)
            for part in parts
            if tile.holds(line := _moved(part, tile.columns.first, tile.rows.first))
        ]
        return sorted(lines, key=lambda line: centre(line.box)[::-1])


def tiles_of(image: np.ndarray, tile_side: int) -> list[Tile]:
    """The tiles of a photo, uint8 (H, W, 3); none for a photo of a usual shape or size, which is read as a whole.

    Their sides have at most `tile_side` pixels, or as many as it takes for MAX_TILES of them.
    """
    sides = image.shape[:2]
    if max(sides) < MIN_ASPECT * min(sides) or max(sides) <= tile_side:
        return []
    while math.prod(_max_count(side, tile_side) for side in sides) > MAX_TILES:
        tile_side = round(1.1 * tile_side)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if sides[0] > sides[1]:
        return [
            Tile(columns, rows)
            for rows in _spans(grey, tile_side)
            for columns in _spans(grey[rows.begin : rows.end].T, tile_side)
        ]
    return [
        Tile(columns, rows)
        for columns in _spans(grey.T, tile_side)
        for rows in _spans(grey[:, columns.begin : columns.end], tile_side)
    ]


def _max_count(side: int, length: int) -> int:
    """How many tiles a side has at most."""
    return 1 + max(0, math.ceil((side - length) / round(length * (1 - WINDOW))))


def _spans(grey: np.ndarray, length: int) -> list[_Span]:
    """The rows of a photo, uint8 (H, W), in spans of at most `length`, where they are empty if there is such a row."""
    side = len(grey)
    if side <= length:
        return [_Span(0, side, 0, side)]
    edges = np.concatenate([_edges(grey[first : first + BAND]) for first in range(0, side, BAND)])
    around = cv2.blur(edges.astype(np.float32).reshape(1, -1), (GAP, 1))[0]
    cuts, margins = [0], [0]
    while side - cuts[-1] > length:
        last = min(cuts[-1] + length, side - round(MIN_REST * length))
        window = np.arange(cuts[-1] + round(length * (1 - WINDOW)), last + 1)
        is_empty = edges[window] == 0
        candidates = window[is_empty] if is_empty.any() else window
        # The last of the best: fewer tiles.
        cuts.append(int(candidates[::-1][np.argmin(around[candidates][::-1])]))
        margins.append(0 if is_empty.any() else MARGIN)
    cuts, margins = [*cuts, side], [*margins, 0]
    return [
        _Span(cuts[i], cuts[i + 1], max(0, cuts[i] - margins[i]), min(side, cuts[i + 1] + margins[i + 1]))
        for i in range(len(cuts) - 1)
    ]


def _edges(grey: np.ndarray) -> np.ndarray:
    """How many strong edges each row has, int (H)."""
    edges: np.ndarray = np.count_nonzero(np.abs(np.diff(grey.astype(np.int16), axis=1)) > STRONG_EDGE, axis=1)
    return edges


def _moved(line: TextLine, dx: int, dy: int) -> TextLine:
    a, b, c, d = ((x + dx, y + dy) for x, y in line.corners)
    return replace(line, corners=(a, b, c, d))
