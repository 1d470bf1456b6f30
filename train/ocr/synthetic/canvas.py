"""A photo that is being drawn, and the truth about the print on it."""

import cv2
import numpy as np

from resformer.model.ocr.text_line import Line, Point
from resformer.train.ocr.synthetic.camera import photographed
from resformer.train.ocr.synthetic.fonts import Font
from resformer.train.ocr.synthetic.ink import draw_ink
from resformer.train.ocr.synthetic.surfaces import paint, surface

__all__ = ["Canvas"]

MARGIN = 0.15  # between ink and the corners of its line, of the capitals' height; readers leave about as much
MEASURED = 32  # pixels of the font that lengths are measured with
TILT = 0.06  # how far a corner of the photo moves when it is taken from aside, of its side; at most, as a rule


class Canvas:
    """Paints print onto a surface and remembers where.

    Attributes:
        image: float32 (H, W, 3). lines: what was printed so far, in its pixels.
    """

    def __init__(self, height: int, width: int, ground: np.ndarray, rng: np.random.Generator):
        self.image = surface(height, width, ground, rng)
        self.lines: list[Line] = []
        self._rng = rng

    @property
    def width(self) -> int:
        return self.image.shape[1]

    def print(self, text: str, font: Font, at: Point, height: float, ink: np.ndarray, turns: int = 0) -> None:
        """Prints a line around a point.

        Args:
            height: of its capitals.
            turns: quarters of a turn clockwise.
        """
        mask = draw_ink(text, font, height, self._rng, plain=True)
        half = np.array([mask.shape[1], mask.shape[0]]) / 2 + MARGIN * height
        mask = np.ascontiguousarray(np.rot90(mask, -turns))
        x, y = round(at[0] - mask.shape[1] / 2), round(at[1] - mask.shape[0] / 2)
        paint(self.image, mask, x, y, ink)
        middle = np.array([x + mask.shape[1] / 2, y + mask.shape[0] / 2])
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns % 4]
        turn = np.array([[cos, sin], [-sin, cos]])
        corners = (half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])) @ turn + middle
        self.lines.append(Line.read_along(corners, text, 1.0))

    def fits(self, text: str, font: Font, height: float, room: float) -> float:
        """The height of capitals, `height` or less, with which the text is no longer than the room."""
        return height * min(1.0, 0.85 * room / max(self.length(text, font, height), 1.0))

    def length(self, text: str, font: Font, height: float) -> float:
        """How long the text is with capitals of a height, in pixels."""
        return font.at(MEASURED).getlength(text) * height / font.capitals(MEASURED)

    def photo(self) -> tuple[np.ndarray, tuple[Line, ...]]:
        """What a camera makes of it, uint8 (H, W, 3), and the lines whose middle it shows, in its pixels."""
        size = np.array(self.image.shape[1::-1], np.float32)
        square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * size
        tilted = square + self._rng.normal(0, TILT / 2, (4, 2)).astype(np.float32) * size
        view = cv2.getPerspectiveTransform(square, tilted.astype(np.float32))
        seen = cv2.warpPerspective(
            self.image, view, self.image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        lines = []
        for line in self.lines:
            moved = cv2.perspectiveTransform(np.array(line.reading_corners, np.float64)[None], view)[0]
            if (moved.mean(axis=0) > 0).all() and (moved.mean(axis=0) < size).all():
                lines.append(Line.read_along(moved, line.text, line.score))
        return photographed(seen, self._rng), tuple(lines)
