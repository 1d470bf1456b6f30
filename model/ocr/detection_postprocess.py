"""Text lines from the score maps of a photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, MAP_STRIDE, ORIENTATION, TEXT
from resformer.model.ocr.line_shape import LineShape

__all__ = ["KERNEL_FRACTION", "DetectedLine", "extract_lines"]

# The kernel of a line: what lies within this fraction of its height from its middle axis, and as far from its ends.
KERNEL_FRACTION = 0.2
THRESHOLDS = (0.4, 0.55, 0.7, 0.85)  # text probabilities above which map pixels are joined to kernels
MAX_THICKNESS = 1.6  # times the kernel of one line; a component that is thicker holds several lines
MIN_PIXELS = 3
# A line whose map pixels spread this much more one way than the other has an angle of its own.
MIN_ELONGATION = 4.0


@dataclass(frozen=True)
class DetectedLine(LineShape):
    """A text line before it is read.

    Attributes:
        text, digit, cue: probabilities that there is text, a digit, and a unit or cue word.
    """

    text: float
    digit: float
    cue: float


def extract_lines(maps: np.ndarray, scale: tuple[float, float]) -> list[DetectedLine]:
    """The lines on a photo.

    Args:
        maps: float (NUM_MAPS, H, W), see networks.text_detection.
        scale: pixels of the photo that a pixel of the detector's input stands for, in x and y.
    """
    text = _sigmoid(maps[TEXT])
    ys, xs, line = _kernels(text, np.exp(maps[HEIGHT]))
    count = int(line.max(initial=-1)) + 1
    pixels = np.bincount(line, minlength=count)
    weight = text[ys, xs]
    total = np.bincount(line, weight, minlength=count)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(line, weight * values, minlength=count) / total

    def largest(values: np.ndarray) -> np.ndarray:
        out = np.full(count, -np.inf)
        np.maximum.at(out, line, values)
        return out

    middle = np.stack([mean(xs), mean(ys)], axis=1)
    quarter_turns = (
        np.argmax([mean(logits) for logits in maps[ORIENTATION, ys, xs]], axis=0) if count else np.zeros(0, int)
    )
    dx, dy = xs - middle[line, 0], ys - middle[line, 1]
    angle = _angles(quarter_turns, mean(dx * dx), mean(dy * dy), mean(dx * dy))
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    height = np.exp(mean(maps[HEIGHT, ys, xs]))
    position = dx * along[line, 0] + dy * along[line, 1]
    # Half a map pixel at both ends belongs to the line too, less what the threshold adds.
    margin = KERNEL_FRACTION * height + 0.3
    begin, end = -largest(-position) - margin, largest(position) + margin
    half = down * height[:, None] / 2
    left, right = middle + along * begin[:, None], middle + along * end[:, None]
    corners = np.stack([left - half, right - half, right + half, left + half], axis=1)
    corners = (corners + 0.5) * MAP_STRIDE * np.array(scale)
    probability = total / pixels
    digit, cue = (largest(_sigmoid(maps[channel, ys, xs])) for channel in (DIGIT, CUE))
    return [
        DetectedLine(corners[i], float(probability[i]), float(digit[i]), float(cue[i]))
        for i in range(count)
        if pixels[i] >= MIN_PIXELS
    ]


def _kernels(text: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns of all map pixels with text, and the index of the line that each belongs to.

    Lines that touch are separated where text is less probable: a component that is thicker than the kernel of a line
    of its height is split by the next of THRESHOLDS.
    """
    rest = np.ones(text.shape, bool)
    rows, columns, lines, known = [], [], [], 0
    for threshold in THRESHOLDS:
        count, labels = cv2.connectedComponents((rest & (text > threshold)).astype(np.uint8), connectivity=4)
        ys, xs = np.nonzero(labels)
        line = (labels[ys, xs] - 1).astype(np.intp)
        pixels = np.maximum(np.bincount(line, minlength=count), 1)

        def mean(values: np.ndarray, line: np.ndarray = line, pixels: np.ndarray = pixels) -> np.ndarray:
            means: np.ndarray = np.bincount(line, values, minlength=len(pixels)) / pixels
            return means

        dx, dy = xs - mean(xs)[line], ys - mean(ys)[line]
        xx, yy, xy = mean(dx * dx), mean(dy * dy), mean(dx * dy)
        # The smaller variance of an evenly filled rectangle is a twelfth of its thickness squared.
        thickness = np.sqrt(12 * np.maximum((xx + yy - np.hypot(xx - yy, 2 * xy)) / 2, 0))
        kernel = np.maximum(2 * KERNEL_FRACTION * mean(height[ys, xs]), 1.0)
        last = threshold == THRESHOLDS[-1]
        single = np.ones(len(pixels), bool) if last else thickness < MAX_THICKNESS * kernel + 1
        taken = single[line]
        rest[ys[taken], xs[taken]] = False
        index = np.cumsum(single) - 1 + known
        rows.append(ys[taken])
        columns.append(xs[taken])
        lines.append(index[line[taken]])
        known += int(single.sum())
    _, line = np.unique(np.concatenate(lines), return_inverse=True)
    return np.concatenate(rows), np.concatenate(columns), line.astype(np.intp)


def _angles(quarter_turns: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Reading direction in radians, clockwise from rightward, from quarter turns and the spread of the map pixels."""
    rough = quarter_turns * np.pi / 2
    spread = np.hypot(xx - yy, 2 * xy)
    elongated = (xx + yy + spread) > MIN_ELONGATION * (xx + yy - spread + 0.1)
    axis = np.arctan2(2 * xy, xx - yy) / 2
    # The axis has no direction: of its two the one nearer to the quarter turn.
    away = np.angle(np.exp(1j * (axis - rough)))
    turned = np.where(np.abs(away) > np.pi / 2, away - np.pi * np.sign(away), away)
    return np.where(elongated, rough + turned, rough)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    probabilities: np.ndarray = 1 / (1 + np.exp(-x))
    return probabilities
