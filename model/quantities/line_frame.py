"""Where the text lines of a photo stand, seen from one of them."""

import math
from collections.abc import Sequence

import numpy as np

from resformer.model.ocr.boxes import Point
from resformer.model.ocr.text_line import TextLine

__all__ = ["LineFrame", "corners_of"]


def corners_of(lines: Sequence[TextLine]) -> np.ndarray:
    """The corners of lines in pixels, float (L, 4, 2)."""
    return np.array([line.corners for line in lines], dtype=float).reshape(-1, 4, 2)


class LineFrame:
    """A line's own axes, in pixels from where its text begins: u runs along the text, v from its top to its bottom."""

    def __init__(self, line: TextLine):
        self._origin, right, _, down = line.reading_corners
        self.width, self.height = math.dist(self._origin, right), math.dist(self._origin, down)
        self._u = self._direction(right, self.width)
        self._v = self._direction(down, self.height)

    def _direction(self, corner: Point, length: float) -> Point:
        return ((corner[0] - self._origin[0]) / (length or 1), (corner[1] - self._origin[1]) / (length or 1))

    def _bounds(self, corners: np.ndarray) -> tuple[np.ndarray, ...]:
        """Bounds u0, v0, u1, v1 of other lines in these axes, each (L,)."""
        x, y = (corners - np.array(self._origin)).transpose(2, 0, 1)
        u, v = x * self._u[0] + y * self._u[1], x * self._v[0] + y * self._v[1]
        return u.min(axis=1), v.min(axis=1), u.max(axis=1), v.max(axis=1)

    def gaps_in_row(self, corners: np.ndarray) -> np.ndarray:
        """Gap in text heights to each line that begins to the right, at the same height; infinite for others: (L,).

        Args:
            corners: of the lines, see corners_of.
        """
        u0, v0, _, v1 = self._bounds(corners)
        height = self.height or 1
        gap = (u0 - self.width) / height
        gaps: np.ndarray = np.where(
            (gap > -0.5) & (np.abs((v0 + v1) / 2 / height - 0.5) < 0.6), np.maximum(gap, 0), math.inf
        )
        return gaps

    def distances(self, corners: np.ndarray) -> np.ndarray:
        """Gap in text heights to each line to the right or below that may continue this one; else infinite: (L,).

        Args:
            corners: of the lines, see corners_of.
        """
        u0, v0, u1, v1 = self._bounds(corners)
        height = self.height or 1
        size = (v1 - v0) / height
        right, below = (u0 - self.width) / height, (v0 - self.height) / height
        middle = (v0 + v1) / 2 / height
        is_right = (right > -0.5) & (right < 1.5) & (middle > -0.2) & (middle < 1.2)
        is_below = (below > -0.4) & (below < 0.8) & (u0 < self.width) & (u1 > 0)
        distances = np.where(is_right, np.maximum(right, 0), np.where(is_below, np.maximum(below, 0), math.inf))
        distances[~((size > 0.25) & (size < 3))] = math.inf
        return distances
