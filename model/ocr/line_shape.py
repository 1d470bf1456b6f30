"""Where a text line lies on a photo."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

__all__ = ["LineShape"]


@dataclass(frozen=True)
class LineShape:
    """A text line by its four corners.

    Attributes:
        corners: float (4, 2), pixels of the photo; top left first as the line is read, clockwise.
    """

    corners: np.ndarray

    @property
    def height(self) -> float:
        """Across the direction of reading, in pixels of the photo."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def width(self) -> float:
        """Along the direction of reading, in pixels of the photo."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def aspect(self) -> float:
        """Its length in its own heights."""
        return self.width / max(self.height, 1e-3)

    @property
    def is_vertical(self) -> bool:
        """Whether it is read upwards or downwards."""
        x, y = np.abs(self.corners[1] - self.corners[0])
        return bool(y > x)

    def upside_down(self) -> Self:
        """The same line, read the other way."""
        return replace(self, corners=self.corners[[2, 3, 0, 1]])

    def longer(self, heights: float) -> Self:
        """The same line with both of its ends moved outward by so many of its heights."""
        a, b, c, d = self.corners
        step = (b - a) * heights / max(self.aspect, 1e-3)
        return replace(self, corners=np.stack([a - step, b + step, c + step, d - step]))
