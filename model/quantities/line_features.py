"""Features that show along which axis a candidate is measured: line segments beside it, its position by the outline."""

import math
from collections.abc import Sequence

import numpy as np

from resformer.model.images.line_segments import NUM_DIRECTIONS, LineDrawing
from resformer.model.ocr.boxes import Box, centre
from resformer.model.quantities.quantity import Candidate

__all__ = ["line_features"]

NUM_FEATURES = 2 * NUM_DIRECTIONS + 11
DISTANCE_SCALE = 2.0  # text heights of distance over which a segment's strength falls to 1/e
FULL_LENGTH = 4.0  # text heights from which a segment has its full strength
CONTRAST_SCALE = 15.0  # grey levels of contrast over which the bonus of a drawn line falls to 1/e
EDGE_STRENGTH = 0.3  # strength of a segment of high contrast, where that of a drawn line is 1
MIN_STRENGTH = 0.05  # below, a segment is ignored
TEXT_MARGIN = 0.2  # text heights around a box within which segments belong to the text
MAX_TEXT_LENGTH = 1.2  # longer sides of a box up to which a segment belongs to the text


def line_features(drawing: LineDrawing | None, candidates: Sequence[Candidate], size: tuple[int, int]) -> np.ndarray:
    """Features of every candidate by the line drawing.

    They are strength and length of the strongest segment in each direction; direction and length of the strongest of
    all; the position relative to the outline and the outline's shape; and 1 as a sign that there is a drawing.

    Args:
        drawing: None where the photo is missing or its drawing is not used.
        size: width and height of the photo in pixels.

    Returns:
        float (C, NUM_FEATURES), zero without a drawing and for candidates of the caller's text.
    """
    rows = np.zeros((len(candidates), NUM_FEATURES))
    if drawing is None:
        return rows
    for row, candidate in zip(rows, candidates, strict=True):
        if candidate.box is not None:
            text_height = max(candidate.text_height, 1.0)
            row[:] = [
                *_segment_features(drawing, candidate.box, text_height, max(size)),
                *_outline_features(drawing.outline, candidate.box, size),
                1.0,
            ]
    return rows


def _segment_features(drawing: LineDrawing, box: Box, text_height: float, max_side: int) -> list[float]:
    if not len(drawing.segments):
        return [0.0] * (2 * NUM_DIRECTIONS + 3)
    lengths = drawing.lengths
    strengths = (
        np.exp(-_distances(drawing.segments, box) / (DISTANCE_SCALE * text_height))
        * np.minimum(1.0, lengths / (FULL_LENGTH * text_height))
        * (EDGE_STRENGTH + (1 - EDGE_STRENGTH) * np.exp(-drawing.contrast / CONTRAST_SCALE))
        * ~_in_text(drawing.segments, lengths, box, text_height)
    )
    values = []
    for direction in range(NUM_DIRECTIONS):
        in_direction = np.where(drawing.directions == direction, strengths, 0.0)
        best = int(in_direction.argmax())
        values += [in_direction[best], lengths[best] / max_side if in_direction[best] > MIN_STRENGTH else 0.0]
    best = int(strengths.argmax())
    if strengths[best] <= MIN_STRENGTH:
        return [*values, 0.0, 0.0, 0.0]
    # Twice the angle: 0 and 180 degrees are the same direction.
    angle = 2 * math.radians(drawing.angles[best])
    return [*values, math.cos(angle), math.sin(angle), math.log1p(lengths[best] / text_height)]


def _distances(segments: np.ndarray, box: Box) -> np.ndarray:
    """Distance in pixels from a box to the point of each segment that is nearest to the box's centre: (N)."""
    start, along = segments[:, :2], segments[:, 2:] - segments[:, :2]
    fraction = ((np.array(centre(box)) - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
    x, y = (start + np.clip(fraction, 0, 1)[:, None] * along).T
    dx = np.maximum(np.maximum(box[0] - x, x - box[2]), 0)
    dy = np.maximum(np.maximum(box[1] - y, y - box[3]), 0)
    distances: np.ndarray = np.hypot(dx, dy)
    return distances


def _in_text(segments: np.ndarray, lengths: np.ndarray, box: Box, text_height: float) -> np.ndarray:
    """Segments that are part of the text in the box: bool (N)."""
    x, y = (segments[:, 0] + segments[:, 2]) / 2, (segments[:, 1] + segments[:, 3]) / 2
    margin = TEXT_MARGIN * text_height
    within = (x > box[0] - margin) & (x < box[2] + margin) & (y > box[1] - margin) & (y < box[3] + margin)
    in_text: np.ndarray = within & (lengths < MAX_TEXT_LENGTH * max(box[2] - box[0], box[3] - box[1]))
    return in_text


def _outline_features(outline: Box, box: Box, size: tuple[int, int]) -> list[float]:
    """Position of a box within the outline, the outline's aspect and area, and how far the box lies outside of it."""
    x0, y0, x1, y1 = outline
    width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    x, y = centre(box)
    return [
        float(np.clip((x - x0) / width, -1, 2)),
        float(np.clip((y - y0) / height, -1, 2)),
        math.log(height / width),
        width * height / (size[0] * size[1]),
        max(x0 - box[2], box[0] - x1, 0.0) / size[0],
        max(y0 - box[3], 0.0) / size[1],
        max(box[1] - y1, 0.0) / size[1],
    ]
