"""What is drawn on a photo beside its print: straight segments, such as the arrows of a dimension drawing, and where
the product stands. They tell which way a length is measured."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from resformer.model.ocr.text_line import Box

__all__ = ["DIRECTIONS", "LineDrawing", "find_line_drawing"]

DIRECTIONS = 4  # across, upright, rising to the right, falling to the right
SIDE = 640  # pixels of the longer side that segments are looked for at
SHORTEST = 0.03  # of the longer side
STRAIGHT = 10.0  # degrees that an upright stroke, or one across, may lean
BACKGROUND = 25  # grey levels that the background may differ from the photo's border


@dataclass(frozen=True)
class LineDrawing:
    """Strokes and outline of one photo, in its pixels.

    Attributes:
        segments: float (N, 4), the ends x0, y0, x1, y1 of each.
        contrast: float (N), how much the two sides of a stroke differ, in grey levels: little for a drawn line,
            much for an edge of the product.
        outline: bounds of the largest thing that is not background.
    """

    segments: np.ndarray
    contrast: np.ndarray
    outline: Box

    @cached_property
    def lengths(self) -> np.ndarray:
        """(N) in pixels."""
        return np.hypot(self.segments[:, 2] - self.segments[:, 0], self.segments[:, 3] - self.segments[:, 1])

    @cached_property
    def angles(self) -> np.ndarray:
        """(N) degrees from 0 to 180, counted against the clock from a stroke across."""
        x, y = self.segments[:, 2] - self.segments[:, 0], self.segments[:, 1] - self.segments[:, 3]
        return np.degrees(np.arctan2(y, x)) % 180

    @cached_property
    def directions(self) -> np.ndarray:
        """(N) numbers of DIRECTIONS."""
        a = self.angles
        return np.select([np.minimum(a, 180 - a) < STRAIGHT, np.abs(a - 90) < STRAIGHT, a < 90], [0, 1, 2], 3)


def find_line_drawing(image: np.ndarray) -> LineDrawing:
    """Strokes by the line segment detector of von Gioi et al. (doi 10.5201/ipol.2012.gjmr-lsd).

    Args:
        image: uint8 (H, W, 3).
    """
    height, width = image.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    segments = np.zeros((0, 4)) if found is None else found.reshape(-1, 4).astype(float)
    long_enough = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]) >= SHORTEST * max(
        grey.shape
    )
    segments = segments[long_enough]
    # Each side was rounded to whole pixels on its own.
    x, y = width / grey.shape[1], height / grey.shape[0]
    x0, y0, x1, y1 = _outline(grey)
    return LineDrawing(segments * (x, y, x, y), _contrast(grey, segments), (x0 * x, y0 * y, x1 * x, y1 * y))


def _contrast(grey: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Mean difference between points 4 pixels to either side, or 6 where that is less (a thick line)."""
    ends = segments.reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    points = ends[:, :1] + np.linspace(0.15, 0.85, 7)[None, :, None] * along[:, None]

    def grey_at(offset: int) -> np.ndarray:
        x, y = np.round(points + offset * across[:, None]).astype(int).transpose(2, 0, 1)
        return grey[np.clip(y, 0, grey.shape[0] - 1), np.clip(x, 0, grey.shape[1] - 1)].astype(float)

    return np.minimum(*(np.abs(grey_at(d) - grey_at(-d)) for d in (4, 6))).mean(axis=1)


def _outline(grey: np.ndarray) -> Box:
    """Bounds of the largest connected patch that differs from the border and is thicker than print and lines."""
    height, width = grey.shape
    border = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    patch = (np.abs(grey.astype(int) - int(border)) > BACKGROUND).astype(np.uint8)
    thick = max(3, round(0.02 * max(height, width)))
    patch = cv2.morphologyEx(patch, cv2.MORPH_OPEN, np.ones((thick, thick), np.uint8))
    _, _, bounds, _ = cv2.connectedComponentsWithStats(patch)
    if len(bounds) < 2:  # nothing but background
        return (0.0, 0.0, float(width), float(height))
    x, y, w, h, _ = bounds[1 + int(bounds[1:, cv2.CC_STAT_AREA].argmax())]
    return (float(x), float(y), float(x + w), float(y + h))
