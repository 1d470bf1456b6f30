"""Detected lines compared with those of an OCR cache."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resformer.model.ocr.boxes import Box
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.text_line import TextLine

__all__ = ["DetectionCounts", "bounding_box", "compare_lines", "overlaps_any"]

MIN_IOU = 0.5  # of the bounding boxes of lines that match
MIN_DIGIT_PROBABILITY = 0.3  # of a detected line that counts as one with a digit


@dataclass(frozen=True)
class DetectionCounts:
    """Counts of text lines, which add up over photos.

    Attributes:
        lines: true ones. matched: of them, those that a detected line matches.
        digit_lines: true lines with a digit. matched_digit_lines: of them, those that a detected line with a digit
            matches.
        detected: detected lines. detected_digit_lines: of them, those with a digit.
    """

    lines: int = 0
    matched: int = 0
    digit_lines: int = 0
    matched_digit_lines: int = 0
    detected: int = 0
    detected_digit_lines: int = 0

    def __add__(self, other: "DetectionCounts") -> "DetectionCounts":
        return DetectionCounts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def f1(self) -> float:
        """F1 of lines with digits, 0 to 1."""
        return 2 * self.matched_digit_lines / max(1, self.digit_lines + self.detected_digit_lines)

    def table(self) -> str:
        """One line of text."""
        return (
            f"lines with digits: F1 {self.f1:.3f}, {self.matched_digit_lines} of {self.digit_lines} matched by "
            f"{self.detected_digit_lines} detected; all lines: {self.matched} of {self.lines} by {self.detected}"
        )


def compare_lines(detected: Sequence[DetectedLine], lines: Sequence[TextLine]) -> DetectionCounts:
    """Compares the detected lines of a photo with its true lines, both in pixels of the same photo."""
    boxes = [bounding_box(line.corners) for line in detected]
    digit_boxes = [box for box, line in zip(boxes, detected, strict=True) if line.digit > MIN_DIGIT_PROBABILITY]
    digit_lines = [line for line in lines if any(c.isdigit() for c in line.text)]
    return DetectionCounts(
        lines=len(lines),
        matched=sum(overlaps_any(line.box, boxes) for line in lines),
        digit_lines=len(digit_lines),
        matched_digit_lines=sum(overlaps_any(line.box, digit_boxes) for line in digit_lines),
        detected=len(boxes),
        detected_digit_lines=len(digit_boxes),
    )


def bounding_box(corners: np.ndarray) -> Box:
    """The axis-aligned box around corners (N, 2)."""
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return (float(x0), float(y0), float(x1), float(y1))


def overlaps_any(box: Box, others: Sequence[Box]) -> bool:
    """Whether the intersection over union of a box with one of the others is at least MIN_IOU."""
    return any(_iou(box, other) >= MIN_IOU for other in others)


def _iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    intersection = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return intersection / (areas - intersection)
