"""One photo's print with what else is known of the photo, computed once for all questions about it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resformer.model.images.line_segments import Drawing
from resformer.model.ocr.text_line import Box, Line

__all__ = ["GEOMETRY", "Page"]

GEOMETRY = 8  # numbers per box, see Page.geometry


@dataclass(frozen=True)
class Page:
    """The lines of print on one photo of `width` x `height` pixels.

    Attributes:
        drawing: its strokes and outline; None where the picture is not at hand.
        group: the catalogue's code for this kind of product, empty where it is not known.
    """

    lines: Sequence[Line]
    width: int
    height: int
    drawing: Drawing | None = None
    group: str = ""

    @property
    def side(self) -> float:
        return float(max(self.width, self.height))

    def glyph(self, line: Line) -> float:
        """Height of a line's letters in pixels, whichever way the line runs."""
        x0, y0, x1, y1 = line.box
        return max(min(x1 - x0, y1 - y0), 1.0)

    def geometry(self, box: Box | None, line: Line | None) -> list[float]:
        """Centre x, y, width, height in longer sides, log glyph height, vertical, score, has a place."""
        if box is None or line is None:
            return [0.0] * GEOMETRY
        x0, y0, x1, y1 = (v / self.side for v in box)
        glyph = math.log(self.glyph(line) / self.side + 1e-3) + 4
        return [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, glyph, line.vertical, line.score, 1.0]
