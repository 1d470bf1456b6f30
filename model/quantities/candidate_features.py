"""Features of each candidate: its value, its text, its position, how it compares, priors, cue words and line segments.

The network scores candidates by these beside their tokens and the words of the photo.
"""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

import numpy as np

from resformer.model.ocr.boxes import centre, gaps
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.line_features import line_features
from resformer.model.quantities.measurements import AXIS_WORDS
from resformer.model.quantities.quantity import Candidate, Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = ["candidate_features", "cue_closeness", "feature_count"]

MAX_CHAIN_LENGTH = 3  # positions in a chain that have a feature of their own
EQUAL_LOG_TOLERANCE = 0.03  # natural logarithm of the ratio of two amounts that count as equal
CUE_CHARACTERS = 6  # characters over which the closeness of a cue word in the same line falls to 1/e
CUE_TEXT_HEIGHTS = 3  # text heights over which that of a cue word in another line does


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
        page: the photo that the candidates are from.
        candidates: in the order of find_candidates.
        entity: the quantity that is asked for.
        schema: with the entities whose cue words count for other answers.
        priors: statistics of label values.
        excluded_label: the label of this photo where the priors have counted it (in training); it is left out.

    Returns:
        float32 (C, feature_count()).
    """
    if not candidates:
        return np.zeros((0, feature_count()), dtype=np.float32)
    own = [_value_features(c.quantity) + _text_features(c) for c in candidates]
    prior = [
        priors.features(entity.name, c.quantity, excluded_label)
        + priors.group_features(entity.name, page.group_id, c.quantity, excluded_label)
        for c in candidates
    ]
    cues = _cue_features(page, candidates, entity, schema)
    columns = [np.array(own), _position_features(page, candidates), _comparison_features(candidates)]
    columns += [np.array(prior), _ranks([p[0] for p in prior])[:, None], cues]
    # Other quantities have no direction: their answers must not depend on whether segments were looked for.
    drawing = page.drawing if entity.is_length else None
    columns.append(line_features(drawing, candidates, (page.width, page.height)))
    return np.concatenate(columns, axis=1).astype(np.float32)


@cache
def feature_count() -> int:
    """Features per candidate."""
    line = TextLine(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)), "5 g", 1.0)
    entity = Entity("mass", "quantity", units=("gram",))
    candidate = Candidate(
        quantity=Quantity((Decimal(5),), "gram"), start=0, end=3, line=0, box=line.box, text_height=9.0
    )
    features = candidate_features(Page([line], 9, 9), [candidate], entity, Schema((entity,)), LabelPriors.count([]))
    count: int = features.shape[1]
    return count


def _value_features(quantity: Quantity) -> list[float]:
    value = quantity.values[-1]
    digits = value.normalize().as_tuple()
    decimals = max(0, -int(digits.exponent))
    whole = value == value.to_integral_value()
    return [
        math.log10(max(float(value), 1e-6)),
        _decade(quantity),
        len(digits.digits),
        decimals,
        whole and value % 10 == 0,
        whole and value % 5 == 0,
        len(quantity.values) - 1,
    ]


def _decade(quantity: Quantity) -> float:
    """Logarithm of the SI value, of a range's upper end."""
    return math.log10(max(quantity.si_values[-1], 1e-12))


def _text_features(candidate: Candidate) -> list[float]:
    """How the candidate is written: its axis, its position in a chain, what was inferred or corrected."""
    c = candidate
    return [
        *(float(c.axis == axis) for axis in AXIS_WORDS),
        *(float(c.chain_length > 1 and c.chain_index == i) for i in range(MAX_CHAIN_LENGTH)),
        *(float(c.chain_length), float(c.range_member), float(c.unit_inherited), float(c.ocr_corrected)),
        *(float(c.compound), float(c.multipack_total), float(c.per_area)),
        *(float(c.spans_lines), float(c.unit_from_context), float(c.has_equivalent)),
    ]


def _position_features(page: Page, candidates: Sequence[Candidate]) -> np.ndarray:
    """Where each candidate stands on the photo and how large its text is: (C, 15)."""
    max_text_height = max((page.text_height(line) for line in page.lines), default=1.0)
    text_heights, rows = [], []
    for c in candidates:
        if c.box is None:
            text_heights.append(0.0)
            rows.append([0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
            continue
        line = page.lines[c.line]
        text_height = max(c.text_height, 1.0)
        text_heights.append(text_height)
        x, y = centre(c.box)
        x, y = x / page.width, y / page.height
        rows.append(
            [
                *(x, y, abs(x - 0.5), abs(y - 0.5), min(x, y, 1 - x, 1 - y)),
                math.log(text_height / page.max_side + 1e-3),
                math.log(text_height / max_text_height),
                (c.end - c.start) / max(len(line.text), 1),
                *(line.score, line.vertical),
            ]
        )
    table = np.array(rows)
    ranks = [_ranks(text_heights), _ranks(table[:, 0]), _ranks(table[:, 1])]
    line_count = np.full(len(rows), math.log1p(len(page.lines)))
    relative = np.array(text_heights) / max(*text_heights, 1.0)
    return np.column_stack([table, *ranks, line_count, relative])


def _comparison_features(candidates: Sequence[Candidate]) -> np.ndarray:
    """How each candidate compares with the others: repeats, equivalents in other units, rank of its amount: (C, 9)."""
    strings = [str(c.quantity) for c in candidates]
    amounts = np.array([10.0 ** _decade(c.quantity) for c in candidates])
    rows = []
    for i, c in enumerate(candidates):
        equal = np.abs(np.log(amounts / amounts[i])) < EQUAL_LOG_TOLERANCE
        equivalents = [j for j in np.flatnonzero(equal).tolist() if candidates[j].quantity.unit != c.quantity.unit]
        rows.append(
            [
                c.repeats,
                len(equivalents),
                bool(equivalents) and i < min(equivalents),
                len(set(strings)),
                i / len(candidates),
                math.log10(amounts[i] / amounts.max()),
                math.log10(amounts[i] / amounts.min()),
                sum(d.quantity.unit == c.quantity.unit for d in candidates) / len(candidates),
            ]
        )
    distinct = dict(zip(strings, amounts, strict=True))
    ordered = sorted(distinct.values())
    rank = [ordered.index(v) / max(len(ordered) - 1, 1) for v in amounts]
    return np.column_stack([np.array(rows, dtype=float), rank])


def _cue_features(page: Page, candidates: Sequence[Candidate], entity: Entity, schema: Schema) -> np.ndarray:
    """Closeness of the entity's cue words, and the greatest of those of the entities that share its units: (C, 8)."""
    others = [e for e in schema.entities if e != entity and set(e.units) & set(entity.units)]
    own = cue_closeness(page, candidates, entity)
    other = [cue_closeness(page, candidates, e) for e in others]
    greatest = np.max(other, axis=0) if other else np.zeros_like(own)
    return np.concatenate([own, greatest], axis=1)


def cue_closeness(page: Page, candidates: Sequence[Candidate], entity: Entity) -> np.ndarray:
    """Closeness of the entity's cue words to each candidate.

    Returns:
        float (C, 4), 0 to 1: before and after the candidate in its line, in another line, anywhere on the photo.
    """
    pattern = _cue_pattern(entity.cues)
    if pattern is None:
        return np.zeros((len(candidates), 4))
    spans = [[m.span() for m in pattern.finditer(line.text)] for line in page.lines]
    lines_with_cues = np.array([i for i, found in enumerate(spans) if found], dtype=int)
    boxes = np.array([page.lines[i].box for i in lines_with_cues], dtype=float).reshape(-1, 4)
    rows = []
    for c in candidates:
        before = after = near = 0.0
        for start, end in spans[c.line] if c.line >= 0 else ():
            if end <= c.start:
                before = max(before, math.exp((end - c.start) / CUE_CHARACTERS))
            elif start >= c.end:
                after = max(after, math.exp((c.end - start) / CUE_CHARACTERS))
        others = boxes[lines_with_cues != c.line]
        if c.box is not None and len(others):
            distance = float(gaps(c.box, others).min()) / max(c.text_height, 1.0)
            near = math.exp(-distance / CUE_TEXT_HEIGHTS)
        rows.append([before, after, near, float(len(lines_with_cues) > 0)])
    return np.array(rows)


@cache
def _cue_pattern(cues: tuple[str, ...]) -> re.Pattern[str] | None:
    if not cues:
        return None
    words = "|".join(re.escape(cue) for cue in sorted(cues, key=len, reverse=True))
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)


def _ranks(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Fraction of the others that are smaller, with ties counted half; 0.5 for a single value."""
    v = np.asarray(values, dtype=float)
    if len(v) < 2:
        return np.full(len(v), 0.5)
    below = (v[None, :] < v[:, None]).sum(axis=1) + 0.5 * ((v[None, :] == v[:, None]).sum(axis=1) - 1)
    ranks: np.ndarray = below / (len(v) - 1)
    return ranks
