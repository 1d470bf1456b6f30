"""Targets of the score maps of a photo, from its text lines."""

import math
import re
from collections.abc import Iterable

import cv2
import numpy as np

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, MAP_STRIDE, TEXT
from resformer.model.ocr.detection_postprocess import KERNEL_FRACTION
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Schema
from resformer.train.ocr.line_geometry import LineAxes

__all__ = ["LOSS_MASK", "NUM_TARGETS", "QUARTER_TURNS", "cue_pattern", "score_map_targets"]

# Channels of the targets: TEXT, DIGIT, CUE and HEIGHT as in the score maps, then these.
QUARTER_TURNS = 4  # by which the text is turned clockwise, 0 to 3
LOSS_MASK = 5  # 0 where the loss of TEXT is left out: on text that is too small to be seen
NUM_TARGETS = 6

MIN_HEIGHT = 2.2  # map pixels; smaller text looks like texture
# Where a character stands is known up to this fraction of the line's height, for its width is taken to be the average.
POSITION_ERROR = 0.15
SUBPIXEL_BITS = 4

DIGITS = re.compile(r"[\d¹²³]+")


def score_map_targets(lines: Iterable[TextLine], to_input: np.ndarray, side: int, cues: re.Pattern[str]) -> np.ndarray:
    """Targets of a square crop of a photo.

    Args:
        lines: in pixels of the photo.
        to_input: float (2, 3), the affine transform from pixels of the photo to those of the crop.
        side: of the crop, pixels.
        cues: see cue_pattern.

    Returns:
        float32 (NUM_TARGETS, side / MAP_STRIDE, side / MAP_STRIDE).
    """
    map_side = side // MAP_STRIDE
    targets = np.zeros((NUM_TARGETS, map_side, map_side), np.float32)
    targets[LOSS_MASK] = 1
    kernels = []
    for line in lines:
        corners = (np.array(line.reading_corners) @ to_input[:, :2].T + to_input[:, 2]) / MAP_STRIDE - 0.5
        axes = LineAxes.from_corners(corners)
        if axes.height >= MIN_HEIGHT and axes.width > 0:
            kernels.append((_Kernel(axes), line.text))
        else:
            targets[LOSS_MASK][_polygon_mask(corners, map_side)] = 0
    for kernel, text in kernels:
        # Beside the kernel the target is no text, also within the line: or lines close to each other would join.
        inside = kernel.mask(map_side, -math.inf, math.inf)
        targets[TEXT, inside] = targets[LOSS_MASK, inside] = 1
        targets[HEIGHT, inside] = math.log(kernel.axes.height)
        targets[QUARTER_TURNS, inside] = kernel.quarter_turns
        margin = POSITION_ERROR * kernel.axes.height
        for channel, pattern in ((DIGIT, DIGITS), (CUE, cues)):
            for match in pattern.finditer(text):
                start, end = ((i / len(text) - 0.5) * kernel.axes.width for i in match.span())
                targets[channel][kernel.mask(map_side, start - margin, end + margin)] = 1
    return targets


def cue_pattern(schema: Schema) -> re.Pattern[str]:
    """Matches the spellings of units and the cue words of a schema's entities."""
    words = {cue for entity in schema.entities for cue in entity.cues}
    words |= {alias for unit in UNITS.values() for alias in unit.aliases}
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![a-z])(?:{longest_first})(?![a-z])", re.IGNORECASE)


class _Kernel:
    """The inner part of a line, see KERNEL_FRACTION."""

    def __init__(self, axes: LineAxes):
        self.axes = axes
        # At least half a map pixel to both sides, or a kernel could lie between the centres of map pixels.
        self._half_height = max(KERNEL_FRACTION * axes.height, 0.5)
        self._half_width = max(axes.width / 2 - KERNEL_FRACTION * axes.height, 0.5)

    @property
    def quarter_turns(self) -> int:
        """Clockwise from upright text, 0 to 3."""
        x, y = self.axes.along
        return round(math.atan2(y, x) / (math.pi / 2)) % 4

    def mask(self, map_side: int, start: float, end: float) -> np.ndarray:
        """Map pixels of the kernel, bool (map_side, map_side).

        Args:
            start, end: bounds along the line, in map pixels from its centre.
        """
        start, end = (min(max(v, -self._half_width), self._half_width) for v in (start, end))
        radius = max(-start, end) + self._half_height
        center, along, down = self.axes.center, self.axes.along, self.axes.down
        low, high = (np.clip(center + s * radius + (s + 1) / 2, 0, map_side).astype(int) for s in (-1, 1))
        x = np.arange(low[0], high[0]) - center[0]
        y = np.arange(low[1], high[1])[:, None] - center[1]
        x_along, y_down = x * along[0] + y * along[1], x * down[0] + y * down[1]
        mask = np.zeros((map_side, map_side), bool)
        mask[low[1] : high[1], low[0] : high[0]] = (
            (start <= x_along) & (x_along <= end) & (np.abs(y_down) <= self._half_height)
        )
        return mask


def _polygon_mask(corners: np.ndarray, map_side: int) -> np.ndarray:
    """Map pixels inside the corners, bool (map_side, map_side)."""
    filled = np.zeros((map_side, map_side), np.uint8)
    cv2.fillConvexPoly(filled, np.round(corners * 2**SUBPIXEL_BITS).astype(np.int32), 1, shift=SUBPIXEL_BITS)
    return filled.astype(bool)
