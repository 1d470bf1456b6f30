"""Axis-aligned boxes on a photo."""

from collections.abc import Iterable

import numpy as np

__all__ = ["Box", "Point", "bounds", "centre", "gaps", "union"]

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


def gaps(a: Box, others: np.ndarray) -> np.ndarray:
    """Distances in pixels between a box and others, float (N, 4), zero where they overlap: (N,)."""
    x0, y0, x1, y1 = others.T
    dx = np.maximum(np.maximum(a[0] - x1, x0 - a[2]), 0.0)
    dy = np.maximum(np.maximum(a[1] - y1, y0 - a[3]), 0.0)
    distances: np.ndarray = np.hypot(dx, dy)
    return distances
