"""Text lines: what a reader gets off a photo."""

import math
from dataclasses import dataclass

import numpy as np

from resformer.model.ocr.boxes import Box, Point, bounds

__all__ = ["VERTICAL_ASPECT", "RecognizedText", "TextLine"]

# A line at least so many times as high as wide holds vertical text, as PP-OCR decides it.
VERTICAL_ASPECT = 1.5

RecognizedText = tuple[str, float]
"""Text of a line, and the recognizer's score, 0 to 1."""


@dataclass(frozen=True)
class TextLine:
    """One line of text on a photo.

    Attributes:
        corners: four points in pixels of the photo, clockwise from the top left as the line lies on the photo; from
            the bottom right where the reader found the line upside down.
        text: the characters of the line.
        score: the recognizer's, 0 to 1.
    """

    corners: tuple[Point, Point, Point, Point]
    text: str
    score: float

    @classmethod
    def from_reading_order(cls, corners: np.ndarray, text: str, score: float) -> "TextLine":
        """A line whose text begins at the first of its corners, float (4, 2), and ends at the second."""
        a, b, c, d = ((float(x), float(y)) for x, y in corners)
        if abs(b[1] - a[1]) > abs(b[0] - a[0]):
            upright = cls((d, a, b, c), text, score)
            # A line too short to count as vertical would get reading_corners from a wrong corner.
            if upright.vertical:
                return upright
        return cls((a, b, c, d), text, score)

    @property
    def box(self) -> Box:
        """The box around the corners."""
        return bounds(self.corners)

    @property
    def vertical(self) -> bool:
        """Whether the text runs along the upright side; never for a single character."""
        a, b, _, d = self.corners
        return len(self.text.strip()) > 1 and math.dist(a, d) >= VERTICAL_ASPECT * math.dist(a, b)

    @property
    def reading_corners(self) -> tuple[Point, Point, Point, Point]:
        """The corners, beginning where the text begins. Vertical text runs downwards, as PP-OCR turns it."""
        a, b, c, d = self.corners
        return (b, c, d, a) if self.vertical else self.corners

    def span_box(self, start: int, end: int) -> Box:
        """The box around the characters from `start` to before `end`, as if all were equally wide."""
        top_left, top_right, bottom_right, bottom_left = self.reading_corners
        return bounds(
            (left[0] + (right[0] - left[0]) * fraction, left[1] + (right[1] - left[1]) * fraction)
            for left, right in ((top_left, top_right), (bottom_left, bottom_right))
            for fraction in (start / len(self.text), end / len(self.text))
        )
