"""Numbers that describe each candidate: its value, print, rivals, cue words, priors, and the segments beside it.

They are what a careful person would look at before choosing; the network sees them beside words and picture.
"""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

import numpy as np

from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.line_features import line_features
from resformer.model.quantities.quantity import Candidate, Quantity
from resformer.model.quantities.unit_aliases import AXIS_WORDS
from resformer.model.schema.schema import Entity, Schema

__all__ = ["candidate_features", "cue_closeness", "feature_count"]


def candidate_features(
    page: Page,
    candidates: Sequence[Candidate],
    entity: Entity,
    schema: Schema,
    priors: LabelPriors,
    excluded_label: Quantity | None = None,
) -> np.ndarray:
    """Features of each candidate for an answer to `entity`.

    Args:
        excluded_label: this row's label where the priors have counted it (training rows); it is left out.

    Returns: float32 (C, F).
    """
    if not candidates:
        return np.zeros((0, feature_count()), dtype=np.float32)
    known = [_value_features(c.quantity) + _print_features(c) for c in candidates]
    prior = [
        priors.describe(entity.name, c.quantity, excluded_label)
        + priors.describe_in_group(entity.name, page.group_id, c.quantity, excluded_label)
        for c in candidates
    ]
    cues = _cue_features(page, candidates, entity, schema)
    columns = [np.array(known), _place_features(page, candidates), _rival_features(candidates)]
    columns += [np.array(prior), _ranks([p[0] for p in prior])[:, None], cues]
    # What else is measured has no direction: its answers must not wait for segments, nor change where others do.
    drawing = page.drawing if entity.is_length else None
    columns.append(line_features(drawing, candidates, (page.width, page.height)))
    return np.concatenate(columns, axis=1).astype(np.float32)


@cache
def feature_count() -> int:
    """Numbers per candidate."""
    line = TextLine(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)), "5 g", 1.0)
    entity = Entity("mass", "quantity", units=("gram",))
    candidate = Candidate(
        quantity=Quantity((Decimal(5),), "gram"), start=0, end=3, line=0, box=line.box, text_height=9.0
    )
    return candidate_features(Page([line], 9, 9), [candidate], entity, Schema((entity,)), LabelPriors.count([])).shape[
        1
    ]


def _value_features(quantity: Quantity) -> list[float]:
    value = quantity.values[-1]
    digits = value.normalize().as_tuple()
    decimals = max(0, -int(digits.exponent))
    whole = value == value.to_integral_value()
    return [
        math.log10(max(float(value), 1e-6)),
        math.log10(max(quantity.si_values[-1], 1e-12)),
        len(digits.digits),
        decimals,
        whole and value % 10 == 0,
        whole and value % 5 == 0,
        len(quantity.values) - 1,
    ]


def _print_features(candidate: Candidate) -> list[float]:
    """How it is printed: its axis letter, its place in a chain, what was inferred or mended."""
    c = candidate
    return [
        *(float(c.axis == axis) for axis in AXIS_WORDS),
        *(float(c.chain_length > 1 and c.chain_index == i) for i in range(3)),
        *(float(c.chain_length), float(c.range_member), float(c.unit_inherited), float(c.ocr_corrected)),
        *(float(c.compound), float(c.multipack_total), float(c.per_area)),
        *(float(c.spans_lines), float(c.unit_from_context), float(c.has_equivalent)),
    ]


def _place_features(page: Page, candidates: Sequence[Candidate]) -> np.ndarray:
    largest = max((page.text_height(line) for line in page.lines), default=1.0)
    glyphs, rows = [], []
    for c in candidates:
        if c.box is None:
            glyphs.append(0.0)
            rows.append([0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
            continue
        line = page.lines[c.line]
        text_height = max(c.text_height, 1.0)
        glyphs.append(text_height)
        x0, y0, x1, y1 = c.box
        x, y = (x0 + x1) / 2 / page.width, (y0 + y1) / 2 / page.height
        share = (c.end - c.start) / max(len(line.text), 1)
        edge = min(x, y, 1 - x, 1 - y)
        print_size = math.log(text_height / page.max_side + 1e-3)
        rows.append(
            [
                *(x, y, abs(x - 0.5), abs(y - 0.5), edge),
                *(print_size, math.log(text_height / largest), share, line.score, line.vertical),
            ]
        )
    table = np.array(rows)
    ranks = [_ranks(glyphs), _ranks(table[:, 0]), _ranks(table[:, 1])]
    lines = np.full(len(rows), math.log1p(len(page.lines)))
    relative = np.array(glyphs) / max(*glyphs, 1.0)
    return np.column_stack([table, *ranks, lines, relative])


def _rival_features(candidates: Sequence[Candidate]) -> np.ndarray:
    """How a candidate stands among the others: repeats, the same size in another unit, rank of its size."""
    strings = [str(c.quantity) for c in candidates]
    sizes = np.array([10.0 ** _value_features(c.quantity)[1] for c in candidates])
    rows = []
    for i, c in enumerate(candidates):
        close = np.abs(np.log(sizes / sizes[i])) < 0.03
        twins = [j for j in np.flatnonzero(close).tolist() if candidates[j].quantity.unit != c.quantity.unit]
        rows.append(
            [
                c.repeats,
                len(twins),
                bool(twins) and i < min(twins),
                len(set(strings)),
                i / len(candidates),
                math.log10(sizes[i] / sizes.max()),
                math.log10(sizes[i] / sizes.min()),
                sum(d.quantity.unit == c.quantity.unit for d in candidates) / len(candidates),
            ]
        )
    distinct = {s: v for s, v in zip(strings, sizes, strict=True)}
    ordered = sorted(distinct.values())
    rank = [ordered.index(v) / max(len(ordered) - 1, 1) for v in sizes]
    return np.column_stack([np.array(rows, dtype=float), rank])


def _cue_features(page: Page, candidates: Sequence[Candidate], entity: Entity, schema: Schema) -> np.ndarray:
    """Closeness of the cue words of the entity asked, and of the strongest of those that share its units: (C, 8)."""
    rivals = [e for e in schema.entities if e != entity and set(e.units) & set(entity.units)]
    own = cue_closeness(page, candidates, entity)
    other = [cue_closeness(page, candidates, rival) for rival in rivals]
    strongest = np.max(other, axis=0) if other else np.zeros_like(own)
    return np.concatenate([own, strongest], axis=1)


def cue_closeness(page: Page, candidates: Sequence[Candidate], entity: Entity) -> np.ndarray:
    """Closeness (0 to 1) of the entity's cue words to each candidate: before and after it in its line, in another
    line, anywhere: (C, 4)."""
    pattern = _cue_pattern(entity.cues)
    if pattern is None:
        return np.zeros((len(candidates), 4))
    spans = [[m.span() for m in pattern.finditer(line.text)] for line in page.lines]
    cued = [i for i, found in enumerate(spans) if found]
    rows = []
    for c in candidates:
        before = after = near = 0.0
        for start, end in spans[c.line] if c.line >= 0 else ():
            if end <= c.start:
                before = max(before, math.exp((end - c.start) / 6))
            elif start >= c.end:
                after = max(after, math.exp((c.end - start) / 6))
        if c.box is not None:
            text_height = max(c.text_height, 1.0)
            for i in cued:
                if i != c.line:
                    gap = _gap(c.box, page.lines[i].box) / text_height
                    near = max(near, math.exp(-gap / 3))
        rows.append([before, after, near, float(bool(cued))])
    return np.array(rows)


@cache
def _cue_pattern(cues: tuple[str, ...]) -> re.Pattern[str] | None:
    if not cues:
        return None
    words = "|".join(re.escape(cue) for cue in sorted(cues, key=len, reverse=True))
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)


def _gap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Distance in pixels between two boxes, zero where they overlap."""
    dx = max(a[0] - b[2], b[0] - a[2], 0.0)
    dy = max(a[1] - b[3], b[1] - a[3], 0.0)
    return math.hypot(dx, dy)


def _ranks(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Share of the others that are smaller, 0.5 for ties among all."""
    v = np.asarray(values, dtype=float)
    if len(v) < 2:
        return np.full(len(v), 0.5)
    below = (v[None, :] < v[:, None]).sum(axis=1) + 0.5 * ((v[None, :] == v[:, None]).sum(axis=1) - 1)
    return below / (len(v) - 1)
