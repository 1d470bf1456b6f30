"""Random layouts of a photo's text lines that keep its answers."""

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from resformer.model.images.line_segments import LineDrawing
from resformer.model.inference.inputs import Preprocessor
from resformer.model.ocr.boxes import Point
from resformer.model.ocr.text_line import TextLine
from resformer.train.network.labelled_photos import LabelledPhoto

__all__ = ["augment_layout"]


def augment_layout(
    photo: LabelledPhoto, preprocessor: Preprocessor, rng: random.Random, *, p_title: float
) -> LabelledPhoto:
    """The photo with another layout in which its answers can be found; as it is where there is none."""
    asked = [q for q in photo.questions if q.accepted]
    found = preprocessor.candidates(photo.lines, [q.entity for q in asked])
    right = [c for q, candidates in zip(asked, found, strict=True) for c in candidates if c.quantity in q.accepted]
    if any(c.spans_lines or c.unit_from_context for c in right):
        return photo  # its unit stands in another line, which would move away or be dropped
    keep = frozenset(c.line for c in right)
    return _moved_layout(photo, np.random.default_rng(rng.getrandbits(32)), keep=keep, p_title=p_title)


def _moved_layout(
    photo: LabelledPhoto, rng: np.random.Generator, *, keep: frozenset[int], p_title: float
) -> LabelledPhoto:
    """Mirrors, shifts, stretches and thins a layout.

    Lines move by their centres and keep their shape, so mirrored text stays readable; the line drawing moves with
    them. The pixels of the photo no longer fit.

    Args:
        keep: indices of lines that hold an accepted answer; they are never dropped.
        p_title: probability that one such line becomes the caller's title.
    """
    width, height = photo.width, photo.height
    mirror_x, mirror_y = rng.random() < 0.3, rng.random() < 0.15
    scale = np.exp(rng.normal(0, 0.1, size=2))
    shift = rng.normal(0, 0.03, size=2) * (width, height)
    text_scale = np.exp(rng.normal(0, 0.08))
    drop = rng.choice([0.0, 0.1, 0.3], p=[0.5, 0.3, 0.2])

    middle = np.array([width / 2, height / 2])
    factor = scale * np.where([mirror_x, mirror_y], -1, 1)

    def move(points: np.ndarray) -> np.ndarray:
        return middle + (points - middle) * factor + shift

    lines, kept = [], []
    for i, line in enumerate(photo.lines):
        if i not in keep and rng.random() < drop:
            continue
        corners = np.array(line.corners)
        centre = corners.mean(axis=0)
        moved = move(centre) + rng.normal(0, 0.004, size=2) * (width, height)
        lines.append(_with_corners(line, (corners - centre) * text_scale + moved))
        kept.append(i)
    title = photo.title
    movable = [j for j, i in enumerate(kept) if i in keep]
    if movable and rng.random() < p_title:
        title = lines.pop(int(rng.choice(movable))).text
    drawing = _moved_drawing(photo.drawing, move) if photo.drawing else None
    return replace(photo, lines=tuple(lines), title=title, drawing=drawing)


def _moved_drawing(drawing: LineDrawing, move: Callable[[np.ndarray], np.ndarray]) -> LineDrawing:
    segments = move(drawing.segments.reshape(-1, 2, 2)).reshape(-1, 4)
    corners = move(np.array(drawing.outline).reshape(2, 2))
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return LineDrawing(segments, drawing.contrast, (x0, y0, x1, y1))


def _with_corners(line: TextLine, corners: np.ndarray) -> TextLine:
    a, b, c, d = (_point(p) for p in corners)
    return TextLine((a, b, c, d), line.text, line.score)


def _point(p: np.ndarray) -> Point:
    return float(p[0]), float(p[1])
