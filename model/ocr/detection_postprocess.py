"""Lines of print from the maps of a photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from resformer.model.networks.text_detector import CELL, CUE, DIGIT, HEIGHT, PRINT, TURNS

__all__ = ["INNER", "Strip", "find_strips"]

INNER = 0.2  # a line's band on the maps: this share of its height to both sides of its middle, as far from its ends
LEVELS = (0.4, 0.55, 0.7, 0.85)  # sureness of print above which cells are joined to lines
THICK = 1.6  # times the band of one line, cells that spread further are several lines
LEAST_CELLS = 3
# A line of which the cells spread this much further one way than the other tells its own angle.
LONG = 4.0


@dataclass(frozen=True)
class Strip:
    """A line of print.

    Attributes:
        corners: float (4, 2), pixels of the photo; top left first as it is read, clockwise.
        print, digit, cue: how sure the maps are of print, of a digit and of a unit or cue word in it, 0 to 1.
    """

    corners: np.ndarray
    print: float
    digit: float
    cue: float


def find_strips(maps: np.ndarray, scale: tuple[float, float]) -> list[Strip]:
    """The lines on a photo.

    Args:
        maps: float (MAPS, H, W), see model.networks.text_detector.
        scale: pixels of the photo that a pixel of the network's input stands for, in x and y.
    """
    likely = _sigmoid(maps[PRINT])
    ys, xs, line = _bands(likely, np.exp(maps[HEIGHT]))
    count = int(line.max(initial=-1)) + 1
    cells = np.bincount(line, minlength=count)
    weight = likely[ys, xs]
    total = np.bincount(line, weight, minlength=count)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(line, weight * values, minlength=count) / total

    def largest(values: np.ndarray) -> np.ndarray:
        out = np.full(count, -np.inf)
        np.maximum.at(out, line, values)
        return out

    middle = np.stack([mean(xs), mean(ys)], axis=1)
    turns = np.argmax([mean(logits) for logits in maps[TURNS, ys, xs]], axis=0) if count else np.zeros(0, int)
    dx, dy = xs - middle[line, 0], ys - middle[line, 1]
    angle = _angles(turns, mean(dx * dx), mean(dy * dy), mean(dx * dy))
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    height = np.exp(mean(maps[HEIGHT, ys, xs]))
    place = dx * along[line, 0] + dy * along[line, 1]
    # A cell's half at both ends is the line's too, but for what the threshold lets spill over.
    reach = INNER * height + 0.3
    begin, end = -largest(-place) - reach, largest(place) + reach
    half = down * height[:, None] / 2
    left, right = middle + along * begin[:, None], middle + along * end[:, None]
    corners = np.stack([left - half, right - half, right + half, left + half], axis=1)
    corners = (corners + 0.5) * CELL * np.array(scale)
    sure = total / cells
    digit, cue = (largest(_sigmoid(maps[channel, ys, xs])) for channel in (DIGIT, CUE))
    return [
        Strip(corners[i], float(sure[i]), float(digit[i]), float(cue[i]))
        for i in range(count)
        if cells[i] >= LEAST_CELLS
    ]


def _bands(likely: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns of all cells with print, and which line each belongs to, from 0 on.

    Lines that run together are parted where print is less likely: cells that spread wider than the band of a line of
    their height are joined anew above the next of LEVELS.
    """
    rest = np.ones(likely.shape, bool)
    rows, columns, lines, known = [], [], [], 0
    for level in LEVELS:
        count, labels = cv2.connectedComponents((rest & (likely > level)).astype(np.uint8), connectivity=4)
        ys, xs = np.nonzero(labels)
        line = (labels[ys, xs] - 1).astype(np.intp)
        cells = np.maximum(np.bincount(line, minlength=count), 1)

        def mean(values: np.ndarray, line: np.ndarray = line, cells: np.ndarray = cells) -> np.ndarray:
            return np.bincount(line, values, minlength=len(cells)) / cells

        dx, dy = xs - mean(xs)[line], ys - mean(ys)[line]
        xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
        # The smaller variance of an evenly filled band is a twelfth of its thickness squared.
        thickness = np.sqrt(12 * np.maximum((xx + yy - np.hypot(xx - yy, 2 * xy)) / 2, 0))
        band = np.maximum(2 * INNER * mean(height[ys, xs]), 1.0)
        single = thickness < THICK * band + 1 if level < LEVELS[-1] else np.ones(len(cells), bool)
        taken = single[line]
        rest[ys[taken], xs[taken]] = False
        number = np.cumsum(single) - 1 + known
        rows.append(ys[taken])
        columns.append(xs[taken])
        lines.append(number[line[taken]])
        known += int(single.sum())
    _, line = np.unique(np.concatenate(lines), return_inverse=True)
    return np.concatenate(rows), np.concatenate(columns), line.astype(np.intp)


def _angles(turns: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Direction of reading in radians, clockwise from rightward, from quarter turns and the spread of the cells."""
    rough = turns * np.pi / 2
    spread = np.hypot(xx - yy, 2 * xy)
    long = (xx + yy + spread) > LONG * (xx + yy - spread + 0.1)
    axis = np.arctan2(2 * xy, xx - yy) / 2
    # The axis has no direction: of its two the one nearer to the quarter turn.
    away = np.angle(np.exp(1j * (axis - rough)))
    turned = np.where(np.abs(away) > np.pi / 2, away - np.pi * np.sign(away), away)
    return np.where(long, rough + turned, rough)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
