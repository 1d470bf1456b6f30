"""Detected lines are compared with true ones."""

import numpy as np
import pytest

from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.text_line import TextLine
from resformer.train.ocr.detection.detection_counts import (
    DetectionCounts,
    bounding_box,
    compare_lines,
    overlaps_any,
)

CORNERS = np.array([[40, 100], [240, 100], [240, 140], [40, 140]], float)
DIGITS = TextLine(((40, 100), (240, 100), (240, 140), (40, 140)), "NET 500", 0.9)
NO_DIGITS = TextLine(((40, 700), (240, 700), (240, 740), (40, 740)), "GOLDEN", 0.9)


def test_lines_are_counted() -> None:
    detected = [
        DetectedLine(CORNERS, text=0.9, digit=0.9, cue=0.1),
        DetectedLine(CORNERS + 300, text=0.9, digit=0.9, cue=0.1),
        DetectedLine(CORNERS + np.array([0, 600]), text=0.9, digit=0.1, cue=0.1),
    ]
    counts = compare_lines(detected, [DIGITS, NO_DIGITS])
    assert counts == DetectionCounts(
        lines=2, matched=2, digit_lines=1, matched_digit_lines=1, detected=3, detected_digit_lines=2
    )
    assert counts.f1 == pytest.approx(2 / 3)
    assert counts + counts == DetectionCounts(4, 4, 2, 2, 6, 4)
    assert "1 of 1 matched by 2 detected; all lines: 2 of 2 by 3" in counts.table()
    assert DetectionCounts().f1 == 0


@pytest.mark.parametrize(("shift", "matches"), [(0, True), (50, True), (100, False), (300, False)])
def test_boxes_match_from_half_of_their_union(shift: int, matches: bool) -> None:
    assert overlaps_any(DIGITS.box, [bounding_box(CORNERS + np.array([shift, 0]))]) == matches
