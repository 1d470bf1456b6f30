"""Geometry of boxes."""

import pytest

from resformer.model.ocr.boxes import Box, bounds, centre, gap, union

UNIT: Box = (0, 0, 1, 1)


def test_bounds_union_and_centre() -> None:
    assert bounds([(3, 1), (0, 5), (2, 2)]) == (0, 1, 3, 5)
    assert union(UNIT, (2, -1, 3, 0.5)) == (0, -1, 3, 1)
    assert centre((2, 0, 4, 6)) == (3, 3)


@pytest.mark.parametrize(
    ("other", "distance"), [((0.5, 0.5, 2, 2), 0), ((3, 0, 4, 1), 2), ((0, -2, 1, -1), 1), ((4, 5, 6, 6), 5)]
)
def test_gap_is_the_distance_between_the_nearest_points(other: Box, distance: float) -> None:
    assert gap(UNIT, other) == gap(other, UNIT) == distance
