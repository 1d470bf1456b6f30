"""Geometry of boxes."""

import numpy as np
import pytest

from resformer.model.ocr.boxes import Box, bounds, centre, gaps, union

UNIT: Box = (0, 0, 1, 1)


def test_bounds_union_and_centre() -> None:
    assert bounds([(3, 1), (0, 5), (2, 2)]) == (0, 1, 3, 5)
    assert union(UNIT, (2, -1, 3, 0.5)) == (0, -1, 3, 1)
    assert centre((2, 0, 4, 6)) == (3, 3)


@pytest.mark.parametrize(
    ("other", "distance"), [((0.5, 0.5, 2, 2), 0), ((3, 0, 4, 1), 2), ((0, -2, 1, -1), 1), ((4, 5, 6, 6), 5)]
)
def test_gaps_are_the_distances_between_the_nearest_points(other: Box, distance: float) -> None:
    assert gaps(UNIT, np.array([other, UNIT])).tolist() == [distance, 0]
    assert gaps(other, np.array([UNIT])).tolist() == [distance]
