"""A photo's text lines and what else is known of the photo, computed once for all questions about it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resformer.model.images.line_segments import LineDrawing
from resformer.model.ocr.boxes import Box
from resformer.model.ocr.text_line import TextLine

__all__ = ["BOX_SIZE", "Page"]

BOX_SIZE = 8  # numbers per box, see Page.box_features


@dataclass(frozen=True)
class Page:
    """The text lines of one photo of `width` x `height` pixels.

    Attributes:
        drawing: line segments and outline; None where they were not looked for.
        group_id: the catalogue's code for this kind of product; empty where it is not known.
    """

    lines: Sequence[TextLine]
    width: int
    height: int
    drawing: LineDrawing | None = None
    group_id: str = ""

    @property
    def max_side(self) -> float:
        """The longer side in pixels."""
        return float(max(self.width, self.height))

    def text_height(self, line: TextLine) -> float:
        """Height of a line's characters in pixels, whichever way the line runs."""
        x0, y0, x1, y1 = line.box
        return max(min(x1 - x0, y1 - y0), 1.0)

    def box_features(self, box: Box | None, line: TextLine | None) -> list[float]:
        """Centre x, y, width, height in longer sides, log text height, vertical, score, has a box."""
        if box is None or line is None:
            return [0.0] * BOX_SIZE
        x0, y0, x1, y1 = (v / self.max_side for v in box)
        text_height = math.log(self.text_height(line) / self.max_side + 1e-3) + 4
        return [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, text_height, line.vertical, line.score, 1.0]
