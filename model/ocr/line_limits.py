"""How much text of a photo is read: time and memory stay bounded, whatever it shows.

Of 3,400 catalogue photos one in a thousand has more than 200 lines, or lines that are together more than 1,050 times as
long as they are high.
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["MAX_LINES", "MAX_LINE_ASPECT", "MAX_TOTAL_ASPECT", "likeliest"]

MAX_LINES = 256
"""Lines of a photo that are read."""

MAX_TOTAL_ASPECT = 1200.0
"""Of the lines that are read, the sum of their lengths, each in its own heights: what recognizers take time for."""

MAX_LINE_ASPECT = 100.0
"""A longer crop is squeezed, in its own heights: two and a half times the longest line of these photos."""


def likeliest(
    priorities: Sequence[Sequence[float]],
    aspects: Sequence[Sequence[float]],
    *,
    max_total: float = MAX_TOTAL_ASPECT,
    room: float = 1.0,
    shared: bool = False,
) -> list[list[int]]:
    """Which lines of each photo are read: those of the highest priority that the limits have room for, in their order.

    Args:
        priorities: of the lines of each photo.
        aspects: length of each line in its own heights.
        max_total: sum of the aspects of a photo's lines, of which there are at most MAX_LINES.
        room: the fraction of these limits that there is.
        shared: whether the photos are parts of one, which have room for as much as one photo.
    """
    max_count, max_total = round(room * MAX_LINES), room * max_total
    if shared:
        owner = np.repeat(np.arange(len(priorities)), [len(on_photo) for on_photo in priorities])
        index = [i for on_photo in priorities for i in range(len(on_photo))]
        together = _fitting(_flat(priorities), _flat(aspects), max_count, max_total)
        kept: list[list[int]] = [[] for _ in priorities]
        for i in together:
            kept[owner[i]].append(index[i])
        return kept
    return [_fitting(p, a, max_count, max_total) for p, a in zip(priorities, aspects, strict=True)]


def _flat(rows: Sequence[Sequence[float]]) -> list[float]:
    return [value for row in rows for value in row]


def _fitting(priorities: Sequence[float], aspects: Sequence[float], max_count: int, max_total: float) -> list[int]:
    order = np.argsort(-np.array(priorities, dtype=float), kind="stable")
    # A line is squeezed to MAX_LINE_ASPECT, and takes some time however short it is.
    costs = np.clip(np.array(aspects, dtype=float), 1.0, MAX_LINE_ASPECT)
    fitting: list[int] = []
    left = max_total
    for i in order.tolist():
        if len(fitting) < max_count and costs[i] <= left:
            fitting.append(i)
            left -= costs[i]
    return sorted(fitting)
