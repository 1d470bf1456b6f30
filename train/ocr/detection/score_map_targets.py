"""What the maps of a photo should be, from the lines that a reader found on it."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import cv2
import numpy as np

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, MAP_STRIDE, TEXT
from resformer.model.ocr.detection_postprocess import KERNEL_FRACTION
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Schema

__all__ = ["TRUTHS", "TURN", "VALID", "map_targets"]

TURN = 4  # quarter turns clockwise of the print
VALID = 5  # 0 where nothing is asked: print too small to be seen
TRUTHS = 6  # channels: TEXT, DIGIT, CUE, HEIGHT, TURN, VALID

SMALLEST = 2.2  # cells; smaller print cannot be told from texture
SPILL = 0.15  # of the height: how far a character's place may be off, as if all were equally wide
SUBPIXELS = 4  # bits


def map_targets(lines: Iterable[TextLine], to_input: np.ndarray, side: int) -> np.ndarray:
    """True maps of a cut of a photo.

    Args:
        lines: in pixels of the photo.
        to_input: float (2, 3), the affine map of the photo's pixels to those of the cut.
        side: of the cut in pixels.

    Returns: float32 (TRUTHS, side / MAP_STRIDE, side / MAP_STRIDE).
    """
    cells = side // MAP_STRIDE
    truth = np.zeros((TRUTHS, cells, cells), np.float32)
    truth[VALID] = 1
    bands = []
    for line in lines:
        corners = (np.array(line.reading_corners) @ to_input[:, :2].T + to_input[:, 2]) / MAP_STRIDE - 0.5
        band = _Band(corners)
        if band.height >= SMALLEST and band.width > 0:
            bands.append((band, line.text))
        else:
            truth[VALID][_filled(corners, cells)] = 0
    for band, text in bands:
        # All that is not in a band is no print, also within the line: or close lines would run together.
        inside = band.inside(cells, -math.inf, math.inf)
        truth[TEXT, inside] = truth[VALID, inside] = 1
        truth[HEIGHT, inside] = math.log(band.height)
        truth[TURN, inside] = band.turn
        for channel, marked in ((DIGIT, _digits), (CUE, _cues())):
            for start, end in marked(text):
                spill = SPILL * band.height
                place = [(x / len(text) - 0.5) * band.width for x in (start, end)]
                truth[channel][band.inside(cells, place[0] - spill, place[1] + spill)] = 1
    return truth


class _Band:
    """The inner band of a line."""

    def __init__(self, corners: np.ndarray):
        a, b, c, d = corners
        along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
        self.width, self.height = float(np.hypot(*along)), float(np.hypot(*down))
        self._middle = corners.mean(axis=0)
        self._along, self._down = along / max(self.width, 1e-6), down / max(self.height, 1e-6)
        # At least half a cell to both sides, or it would fall between the places of the maps.
        self._half = max(KERNEL_FRACTION * self.height, 0.5)
        self._reach = max(self.width / 2 - KERNEL_FRACTION * self.height, 0.5)

    @property
    def turn(self) -> int:
        return round(math.atan2(self._along[1], self._along[0]) / (math.pi / 2)) % 4

    def inside(self, cells: int, begin: float, end: float) -> np.ndarray:
        """bool (cells, cells): places whose middle lies between two places along the band, in cells from its middle."""
        begin, end = (min(max(v, -self._reach), self._reach) for v in (begin, end))
        radius = max(-begin, end) + self._half
        low, high = (np.clip(self._middle + s * radius + (s + 1) / 2, 0, cells).astype(int) for s in (-1, 1))
        x = np.arange(low[0], high[0]) - self._middle[0]
        y = np.arange(low[1], high[1])[:, None] - self._middle[1]
        along = x * self._along[0] + y * self._along[1]
        down = x * self._down[0] + y * self._down[1]
        inside = np.zeros((cells, cells), bool)
        inside[low[1] : high[1], low[0] : high[0]] = (begin <= along) & (along <= end) & (np.abs(down) <= self._half)
        return inside


def _filled(corners: np.ndarray, cells: int) -> np.ndarray:
    """bool (cells, cells): places inside the corners."""
    drawn = np.zeros((cells, cells), np.uint8)
    cv2.fillConvexPoly(drawn, np.round(corners * 2**SUBPIXELS).astype(np.int32), 1, shift=SUBPIXELS)
    return drawn.astype(bool)


def _digits(text: str) -> Sequence[tuple[int, int]]:
    return [(i, i + 1) for i, c in enumerate(text) if c.isdigit()]


@cache
def _cues() -> Callable[[str], Sequence[tuple[int, int]]]:
    """Finds the places of units and of the entities' cue words."""
    words = {cue for entity in Schema.load().entities for cue in entity.cues}
    words |= {alias for unit in UNITS.values() for alias in unit.aliases}
    ordered = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(rf"(?<![a-z])(?:{ordered})(?![a-z])", re.IGNORECASE)
    return lambda text: [match.span() for match in pattern.finditer(text)]
