"""Numbers that tell which way a candidate measures the product: segments beside its print, its place by the outline."""

import math
from collections.abc import Sequence

import numpy as np

from resformer.model.images.line_segments import DIRECTIONS, LineDrawing
from resformer.model.ocr.text_line import Box
from resformer.model.quantities.quantity import Candidate

__all__ = ["line_features"]

COUNT = 2 * DIRECTIONS + 11
NEAR = 2.0  # text_height heights over which a stroke loses two thirds of its strength
LONG = 4.0  # text_height heights from which a stroke is long
DRAWN = 15.0  # grey levels of contrast over which a stroke loses two thirds of its look of a drawn line
SEEN = 0.05  # strength from which a stroke counts


def line_features(drawing: LineDrawing | None, candidates: Sequence[Candidate], size: tuple[int, int]) -> np.ndarray:
    """Per candidate: strength and length of the best stroke per direction, the best one's direction and length, the
    place relative to the outline, the outline's shape, and whether there was a drawing at all.

    Args:
        drawing: None where the picture is not at hand or tells nothing; then all is zero, as for the caller's text.
        size: width and height of the photo in pixels.

    Returns: float (C, COUNT).
    """
    rows = np.zeros((len(candidates), COUNT))
    if drawing is None:
        return rows
    for row, candidate in zip(rows, candidates, strict=True):
        if candidate.box is not None:
            text_height = max(candidate.text_height, 1.0)
            row[:] = [
                *_strokes(drawing, candidate.box, text_height, max(size)),
                *_place(drawing, candidate.box, size),
                1.0,
            ]
    return rows


def _strokes(drawing: LineDrawing, box: Box, text_height: float, side: int) -> list[float]:
    if not len(drawing.segments):
        return [0.0] * (2 * DIRECTIONS + 3)
    lengths = drawing.lengths
    strengths = (
        np.exp(-_gaps(drawing.segments, box) / (NEAR * text_height))
        * np.minimum(1.0, lengths / (LONG * text_height))
        * (0.3 + 0.7 * np.exp(-drawing.contrast / DRAWN))
        * ~_inside(drawing.segments, box, text_height)
    )
    values = []
    for direction in range(DIRECTIONS):
        of_it = np.where(drawing.directions == direction, strengths, 0.0)
        best = int(of_it.argmax())
        values += [of_it[best], lengths[best] / side if of_it[best] > SEEN else 0.0]
    best = int(strengths.argmax())
    if strengths[best] <= SEEN:
        return [*values, 0.0, 0.0, 0.0]
    # Twice the angle: 0 and 180 degrees are the same direction.
    angle = 2 * math.radians(drawing.angles[best])
    return [*values, math.cos(angle), math.sin(angle), math.log1p(lengths[best] / text_height)]


def _gaps(segments: np.ndarray, box: Box) -> np.ndarray:
    """Distance in pixels from a box to the point of each stroke that is nearest to the box's centre: (N)."""
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    start, along = segments[:, :2], segments[:, 2:] - segments[:, :2]
    share = ((centre - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
    x, y = (start + np.clip(share, 0, 1)[:, None] * along).T
    dx = np.maximum(np.maximum(box[0] - x, x - box[2]), 0)
    dy = np.maximum(np.maximum(box[1] - y, y - box[3]), 0)
    return np.hypot(dx, dy)


def _inside(segments: np.ndarray, box: Box, text_height: float) -> np.ndarray:
    """Strokes that are part of the print itself: bool (N)."""
    x, y = (segments[:, 0] + segments[:, 2]) / 2, (segments[:, 1] + segments[:, 3]) / 2
    rim = 0.2 * text_height
    within = (x > box[0] - rim) & (x < box[2] + rim) & (y > box[1] - rim) & (y < box[3] + rim)
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    return within & (length < 1.2 * max(box[2] - box[0], box[3] - box[1]))


def _place(drawing: LineDrawing, box: Box, size: tuple[int, int]) -> list[float]:
    x0, y0, x1, y1 = drawing.outline
    width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return [
        float(np.clip((x - x0) / width, -1, 2)),
        float(np.clip((y - y0) / height, -1, 2)),
        math.log(height / width),
        width * height / (size[0] * size[1]),
        max(x0 - box[2], box[0] - x1, 0.0) / size[0],
        max(y0 - box[3], 0.0) / size[1],
        max(box[1] - y1, 0.0) / size[1],
    ]
