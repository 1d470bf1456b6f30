"""Features of candidates by the line segments beside them."""

import numpy as np

from resformer.model.images.line_segments import LineDrawing
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.line_features import line_features
from resformer.model.quantities.quantity import Candidate

OUTLINE = (200.0, 100.0, 600.0, 500.0)


def label(text: str, x: float, y: float) -> Candidate:
    width = 12.0 * len(text)
    (candidate,) = find_candidates(
        [TextLine(((x, y), (x + width, y), (x + width, y + 24), (x, y + 24)), text, 0.9)], ["inch"]
    )
    return candidate


def test_the_strongest_direction_is_that_of_the_arrow_beside_the_label() -> None:
    arrows = np.array([[150.0, 100.0, 150.0, 500.0], [200.0, 530.0, 600.0, 530.0]])
    drawing = LineDrawing(arrows, np.array([2.0, 2.0]), OUTLINE)
    features = line_features(drawing, [label("20 in", 70, 290), label("16 in", 380, 545)], (800, 600))
    horizontal, vertical = features[:, 0], features[:, 2]
    assert vertical[0] > 0.5 > horizontal[0]
    assert horizontal[1] > 0.5 > vertical[1]
    assert np.isfinite(features).all()


def test_without_segments_or_drawing() -> None:
    candidates = [label("20 in", 70, 290)]
    blank = LineDrawing(np.zeros((0, 4)), np.zeros(0), OUTLINE)
    assert np.isfinite(line_features(blank, candidates, (800, 600))).all()
    assert not line_features(None, candidates, (800, 600)).any()
