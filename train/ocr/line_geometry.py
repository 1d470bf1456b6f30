"""Text lines as four corners."""

from dataclasses import dataclass

import numpy as np

__all__ = ["LineAxes", "jitter_corners"]

EPSILON = 1e-6  # pixels


@dataclass(frozen=True)
class LineAxes:
    """How a text line lies on an image.

    Attributes:
        center: (2,), pixels.
        along, down: unit vectors (2,) in which the text runs, and from the top of its characters to their bottom.
        width, height: pixels along them.
    """

    center: np.ndarray
    along: np.ndarray
    down: np.ndarray
    width: float
    height: float

    @classmethod
    def from_corners(cls, corners: np.ndarray) -> "LineAxes":
        """The axes of corners (4, 2), top left first as the line is read, clockwise."""
        a, b, c, d = corners
        along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
        width, height = float(np.hypot(*along)), float(np.hypot(*down))
        return cls(corners.mean(axis=0), along / max(width, EPSILON), down / max(height, EPSILON), width, height)


def jitter_corners(corners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Corners (4, 2) with the errors of a detector: shifted, taller or flatter, longer or shorter, rotated a little."""
    line = LineAxes.from_corners(corners)
    width, height = max(line.width, EPSILON), max(line.height, EPSILON)
    # An end may lose a little more than the margin, never a character.
    begin = -width / 2 + height * rng.uniform(-0.3, 0.05)
    end = width / 2 + height * rng.uniform(-0.05, 0.3)
    half_height = height / 2 * float(np.exp(rng.normal(0, 0.09)))
    center = line.center + line.down * height * rng.normal(0, 0.05)
    slope = np.clip(rng.normal(0, 0.012), -0.15 * height / width, 0.15 * height / width)
    (x, y), down = line.along, line.down
    along = np.array([x - slope * y, y + slope * x])
    half_down = half_height * np.array([-along[1], along[0]]) * np.sign(x * down[1] - y * down[0] or 1.0)
    left, right = center + along * begin, center + along * end
    return np.stack([left - half_down, right - half_down, right + half_down, left + half_down])
