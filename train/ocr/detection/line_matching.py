"""How well the lines of print in maps agree with those of a reader."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resformer.model.ocr.boxes import Box
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.text_line import TextLine

__all__ = ["Found", "bounds", "compare_lines", "met"]

AGREE = 0.5  # intersection over union of the upright bounds
SEEN = 0.3  # least sureness that a strip holds a digit


@dataclass(frozen=True)
class Found:
    """Counts of lines, which add up over photos.

    Attributes:
        lines: that the reader found. matched: of them, how many strips agree with.
        digits, digits_matched: the same of lines with a digit, and strips where one is seen.
        strips: that were found. seen: of them, those with a digit.
    """

    lines: int = 0
    matched: int = 0
    digits: int = 0
    digits_matched: int = 0
    strips: int = 0
    seen: int = 0

    def __add__(self, other: "Found") -> "Found":
        return Found(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def table(self) -> str:
        """What was found, in words."""
        return (
            f"lines with digits: F1 {self.f1:.3f}, {self.digits_matched} of {self.digits} found among {self.seen}"
            f" strips; all lines: {self.matched} of {self.lines} among {self.strips}"
        )

    @property
    def f1(self) -> float:
        """Of the lines with digits: recall, and precision of strips with digits, in one number."""
        return 2 * self.digits_matched / max(1, self.digits + self.seen)


def compare_lines(strips: Sequence[DetectedLine], lines: Sequence[TextLine]) -> Found:
    """Strips and lines on one photo, both in its pixels."""
    places = [bounds(strip.corners) for strip in strips]
    seen = [place for place, strip in zip(places, strips, strict=True) if strip.digit > SEEN]
    with_digits = [line for line in lines if any(c.isdigit() for c in line.text)]
    return Found(
        len(lines),
        sum(met(line.box, places) for line in lines),
        len(with_digits),
        sum(met(line.box, seen) for line in with_digits),
        len(strips),
        len(seen),
    )


def bounds(corners: np.ndarray) -> Box:
    """The upright box around corners (N, 2)."""
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return (float(x0), float(y0), float(x1), float(y1))


def met(box: Box, others: Sequence[Box]) -> bool:
    """Whether one of the others agrees with a box."""
    return any(_overlap(box, other) >= AGREE for other in others)


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return shared / (areas - shared)
