"""The line drawing of a photo: straight segments, such as the arrows of a dimension drawing, and the product's outline.

They show along which axis a length is measured.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from resformer.model.ocr.boxes import Box

__all__ = ["NUM_DIRECTIONS", "LineDrawing", "find_line_drawing"]

NUM_DIRECTIONS = 4  # horizontal, vertical, rising to the right, falling to the right
DETECTION_SIDE = 640  # pixels of the longer side at which segments are detected
MIN_LENGTH = 0.03  # of the longer side
MAX_LEAN = 10.0  # degrees that a horizontal or vertical segment may lean
BACKGROUND_TOLERANCE = 25  # grey levels that the background may differ from the photo's border
PROFILE_POINTS = 7  # points along a segment at which its contrast is measured
PROFILE_OFFSETS = (4, 6)  # pixels from the segment to either side
MIN_THICKNESS = 0.02  # of the longer side; thinner things are text and lines, not the product


@dataclass(frozen=True)
class LineDrawing:
    """Line segments and outline of one photo, in its pixels.

    Attributes:
        segments: float (N, 4), the ends x0, y0, x1, y1 of each.
        contrast: float (N), difference between the two sides of a segment in grey levels: small for a drawn line,
            large for an edge of the product.
        outline: bounds of the largest thing that is not background.
    """

    segments: np.ndarray
    contrast: np.ndarray
    outline: Box

    @cached_property
    def lengths(self) -> np.ndarray:
        """(N) in pixels."""
        lengths: np.ndarray = np.hypot(
            self.segments[:, 2] - self.segments[:, 0], self.segments[:, 3] - self.segments[:, 1]
        )
        return lengths

    @cached_property
    def angles(self) -> np.ndarray:
        """(N) degrees from 0 to 180, counterclockwise from horizontal."""
        x, y = self.segments[:, 2] - self.segments[:, 0], self.segments[:, 1] - self.segments[:, 3]
        angles: np.ndarray = np.degrees(np.arctan2(y, x)) % 180
        return angles

    @cached_property
    def directions(self) -> np.ndarray:
        """(N) indices below NUM_DIRECTIONS."""
        a = self.angles
        return np.select([np.minimum(a, 180 - a) < MAX_LEAN, np.abs(a - 90) < MAX_LEAN, a < 90], [0, 1, 2], 3)


def find_line_drawing(image: np.ndarray) -> LineDrawing:
    """Detects segments by the method of von Gioi et al. (LSD, doi 10.5201/ipol.2012.gjmr-lsd), and the outline.

    Args:
        image: uint8 (H, W, 3).
    """
    height, width = image.shape[:2]
    scale = min(1.0, DETECTION_SIDE / max(height, width))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    segments = np.zeros((0, 4)) if found is None else found.reshape(-1, 4).astype(float)
    lengths = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    segments = segments[lengths >= MIN_LENGTH * max(grey.shape)]
    # Each side was rounded to whole pixels on its own.
    x, y = width / grey.shape[1], height / grey.shape[0]
    x0, y0, x1, y1 = _outline(grey)
    return LineDrawing(segments * (x, y, x, y), _contrast(grey, segments), (x0 * x, y0 * y, x1 * x, y1 * y))


def _contrast(grey: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Mean difference between points to either side, at the one of PROFILE_OFFSETS where it is smaller: (N).

    The wider offset steps over a thick line.
    """
    ends = segments.reshape(-1, 2, 2)
    along = ends[:, 1] - ends[:, 0]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    points = ends[:, :1] + np.linspace(0.15, 0.85, PROFILE_POINTS)[None, :, None] * along[:, None]

    def grey_at(offset: int) -> np.ndarray:
        x, y = np.round(points + offset * normal[:, None]).astype(int).transpose(2, 0, 1)
        grey_levels: np.ndarray = grey[np.clip(y, 0, grey.shape[0] - 1), np.clip(x, 0, grey.shape[1] - 1)].astype(float)
        return grey_levels

    contrast: np.ndarray = np.minimum(*(np.abs(grey_at(d) - grey_at(-d)) for d in PROFILE_OFFSETS)).mean(axis=1)
    return contrast


def _outline(grey: np.ndarray) -> Box:
    """Bounds of the largest connected region that differs from the border and is thicker than text and lines."""
    height, width = grey.shape
    border = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    foreground = (np.abs(grey.astype(int) - int(border)) > BACKGROUND_TOLERANCE).astype(np.uint8)
    thickness = max(3, round(MIN_THICKNESS * max(height, width)))
    foreground = cv2.morphologyEx(foreground, cv2.MORPH_OPEN, np.ones((thickness, thickness), np.uint8))
    _, _, regions, _ = cv2.connectedComponentsWithStats(foreground)
    if len(regions) < 2:  # nothing but background
        return (0.0, 0.0, float(width), float(height))
    x, y, w, h, _ = regions[1 + int(regions[1:, cv2.CC_STAT_AREA].argmax())]
    return (float(x), float(y), float(x + w), float(y + h))
