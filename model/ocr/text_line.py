"""What a reader finds on a photo: lines of print with their place."""

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Box", "Line", "Point"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """One line of print.

    Attributes:
        corners: Four points in pixels of the photo, clockwise from the top left as the line lies on the photo; from
            the bottom right where the reader saw that it is upside down.
        text: What the line says.
        score: How sure the reader is, 0 to 1.
    """

    corners: tuple[Point, Point, Point, Point]
    text: str
    score: float

    @classmethod
    def read_along(cls, corners: np.ndarray, text: str, score: float) -> "Line":
        """A line whose text begins at the first of its corners, (4, 2), and ends at the second."""
        a, b, c, d = ((float(x), float(y)) for x, y in corners)
        if abs(b[1] - a[1]) > abs(b[0] - a[0]):
            upright = cls((d, a, b, c), text, score)
            # Too short to be told from a level one, it would be read from a wrong corner.
            if upright.vertical:
                return upright
        return cls((a, b, c, d), text, score)

    @property
    def box(self) -> Box:
        """Axis-aligned bounds (x0, y0, x1, y1) in pixels."""
        xs, ys = zip(*self.corners, strict=True)
        return (min(xs), min(ys), max(xs), max(ys))

    @property
    def vertical(self) -> bool:
        """Whether the text runs along the longer, upright side; as PP-OCR decides it, for more than one character."""
        a, b, _, d = self.corners
        return len(self.text.strip()) > 1 and math.dist(a, d) >= 1.5 * math.dist(a, b)

    @property
    def reading_corners(self) -> tuple[Point, Point, Point, Point]:
        """The corners from where the text begins. Vertical text is read downwards, as PP-OCR turns it."""
        a, b, c, d = self.corners
        return (b, c, d, a) if self.vertical else self.corners
