"""Axis-aligned boxes on a photo."""

import math
from collections.abc import Iterable

__all__ = ["Box", "Point", "bounds", "centre", "gap", "union"]

Point = tuple[float, float]
"""x, y in pixels."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


def bounds(points: Iterable[Point]) -> Box:
    """The smallest box that holds all points. Raises ValueError: there are none."""
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys), max(xs), max(ys))


def union(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def centre(box: Box) -> Point:
    """The middle of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def gap(a: Box, b: Box) -> float:
    """Distance in pixels between two boxes, zero where they overlap."""
    dx = max(a[0] - b[2], b[0] - a[2], 0.0)
    dy = max(a[1] - b[3], b[1] - a[3], 0.0)
    return math.hypot(dx, dy)
