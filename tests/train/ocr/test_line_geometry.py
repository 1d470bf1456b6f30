"""Axes and jitter of corners."""

import numpy as np
import pytest

from resformer.train.ocr.line_geometry import LineAxes, jitter_corners

CORNERS = np.array([[10, 20], [110, 20], [110, 40], [10, 40]], float)


def test_axes_of_a_turned_line() -> None:
    axes = LineAxes.from_corners(np.roll(CORNERS, 2, axis=0))
    assert (axes.width, axes.height) == (100, 20)
    assert axes.center.tolist() == [60, 30]
    assert axes.along.tolist() == [-1, 0]
    assert axes.down.tolist() == [0, -1]


def test_a_line_without_size_has_axes() -> None:
    axes = LineAxes.from_corners(np.zeros((4, 2)))
    assert axes.width == axes.height == 0
    assert np.isfinite(jitter_corners(np.zeros((4, 2)), np.random.default_rng(0))).all()


def test_jittered_corners_stay_near() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        jittered = jitter_corners(CORNERS, rng)
        assert jittered == pytest.approx(CORNERS, abs=9)
        (ax, ay), (bx, by), (cx, cy), _ = jittered
        assert (bx - ax) * (cy - by) - (by - ay) * (cx - bx) > 0  # clockwise
    upside_down = jitter_corners(np.roll(CORNERS, 2, axis=0), rng)
    assert upside_down[0] == pytest.approx([110, 40], abs=9)
