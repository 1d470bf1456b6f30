"""Candidates: the quantities on a photo and in the caller's text that a question may be answered with.

Text is parsed line by line. A number may also have its unit in the next line ("500" above "g"). A bare length may take
its unit from context: from a note that holds for the whole drawing ("Unit: cm"), or from all its other lengths.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from resformer.model.ocr.boxes import union
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.line_frame import LineFrame, corners_of
from resformer.model.quantities.measurements import AXES, leading_unit
from resformer.model.quantities.number_limits import first_numbers, parsed_lines
from resformer.model.quantities.parser import find_quantities, legend_alone, writes_decimal_comma
from resformer.model.quantities.quantity import Candidate, QuantityMatch
from resformer.model.quantities.units import UNITS

__all__ = ["MAX_CANDIDATES", "find_candidates", "group_equal_amounts"]

MAX_CANDIDATES = 64
MIN_LENGTHS = 2  # lengths on a drawing from which a bare one takes its unit
# How far to the left of a number, in text heights, a letter or a word may stand that names its axis.
MAX_LETTER_GAP, MAX_CELL_GAP = 2.0, 25.0
# How far the same amount in two units may differ after rounding, as in 12 oz (340 g).
EQUAL_TOLERANCE = 0.03
TOTAL_TOLERANCE = 0.01  # the same between the total of a multi-pack and the product of count and size
# The end of a line that may go on in the next one: a bare number, or a range or chain without its last number.
OPEN_END = re.compile(r"(?:[\d½¼¾]|[\d\w][\"')]?\s*[-~xX*])\s*$")
# What stands before the unit in a note that states it for a whole drawing: "Unit:", "Dimensions are in", "(".
UNIT_NOTE = re.compile(
    r"\b(?:units?|dimensions?|measurements?|sizes?)\b(?:\s+are)?(?:\s+in)?\s*[:=(]?\s*|^\s*\((?=[^\d()]+\)\s*$)",
    re.IGNORECASE,
)
NUMBERS = r"[\dxX*½¼¾⅛⅜⅝⅞ .,:;()\[\]/~=≈±Øø-]+"
NO_DATE_TIME_OR_PHONE = r"(?!.*(?:\d\s?([-:/.])\s?\d+\s?\1\s?\d|\d:\d|\d{5}))"
# A line of bare lengths on a drawing with a note: numbers behind any letters that name a dimension.
BARE_WITH_NOTE = re.compile(rf"{NO_DATE_TIME_OR_PHONE}\W{{0,3}}(?:[A-Za-z]{{1,2}}\W{{0,3}})?{NUMBERS}")
# The same on a drawing without a note: only letters of axes, and no number that may be a year.
BARE_WITHOUT_NOTE = re.compile(rf"{NO_DATE_TIME_OR_PHONE}(?!.*\d{{4}})\W{{0,3}}(?:[LWHDTlwhdt]\W{{0,3}})?{NUMBERS}")


def find_candidates(
    lines: Sequence[TextLine], units: Sequence[str], text: str = "", *, ranges: bool = True
) -> list[Candidate]:
    """All quantities in these units, those of the caller's text first, then in reading order.

    Args:
        lines: the text lines of the photo, in reading order.
        units: canonical unit names of one dimension.
        text: title and description from the caller.
        ranges: whether a range is a candidate, beside its two ends.

    Returns:
        At most MAX_CANDIDATES; where there are more, the first of the caller's text, then those in the largest text.
        Of numbers the first MAX_NUMBERS of the caller's text are parsed, and as many of the largest lines.
    """
    units = tuple(units)
    text = first_numbers(text)
    decimal_comma = writes_decimal_comma([text, *(line.text for line in lines)])
    found = [Candidate(**vars(match)) for match in find_quantities(text, units, decimal_comma=decimal_comma)]
    bare = []
    corners = corners_of(lines)
    for i in parsed_lines(lines):
        line = lines[i]
        matches = find_quantities(line.text, units, decimal_comma=decimal_comma)
        found += [_on_line(match, line, i) for match in matches]
        if any(c.isnumeric() for c in line.text):
            spans = {(match.start, match.end) for match in matches}
            found += [c for c in _spanning_lines(lines, corners, i, units) if (c.start, c.end) not in spans]
            bare += [] if matches else [i]
    if UNITS[units[0]].dimension == "length":
        noted = _noted_units(lines, units)
        # Notes that contradict each other leave bare lengths without a unit.
        context, form = (noted, BARE_WITH_NOTE) if noted else (_common_units(found), BARE_WITHOUT_NOTE)
        if len(context) == 1:
            (unit,) = context
            for i in bare:
                if form.fullmatch(lines[i].text):
                    found += _with_context_unit(lines[i], i, unit, units)
        found = _with_axes(found, [axes for line in lines if (axes := legend_alone(line.text))])
        found = _with_axes_beside(found, lines, corners)
    found = _of_whole_packs(found)
    found = [c for c in found if ranges or len(c.quantity.values) == 1]
    unique = {(c.line, c.start, c.end, c.quantity): c for c in reversed(found)}
    # Of the caller's text the first, which is the title.
    order = sorted(unique.values(), key=lambda c: (c.line >= 0, -c.text_height, c.start if c.line < 0 else 0))
    largest = order[:MAX_CANDIDATES]
    return _compared(sorted(largest, key=lambda c: (c.line, c.start, -c.end)))


def group_equal_amounts(candidates: Sequence[Candidate]) -> list[int]:
    """An integer for each candidate, equal for those that give the same amount in whatever unit."""
    amounts = [c.quantity.si_values for c in candidates]
    return [next(j for j, other in enumerate(amounts) if _equal(amount, other)) for amount in amounts]


def _on_line(match: QuantityMatch, line: TextLine, index: int) -> Candidate:
    """A match in a line's text as a candidate, with the box of its characters."""
    box = line.span_box(match.start, match.end)
    return Candidate(**vars(match), line=index, box=box, text_height=LineFrame(line).height)


def _spanning_lines(
    lines: Sequence[TextLine], corners: np.ndarray, index: int, units: tuple[str, ...]
) -> list[Candidate]:
    """Quantities that begin in a line with an open end and end in the nearest line that continues it."""
    line = lines[index]
    if not OPEN_END.search(line.text.translate(CHARACTER_FOLD)):
        return []
    frame = LineFrame(line)
    distances = frame.distances(corners)
    distances[index] = math.inf
    # The nearest first, and of those the first.
    near = [j for j in np.argsort(distances, kind="stable").tolist() if distances[j] < math.inf]
    other = next((lines[j] for j in near if _continues(line.text, lines[j].text, units)), None)
    if other is None:
        return []
    length = len(line.text)
    found = []
    for match in find_quantities(f"{line.text} {other.text}", units):
        if match.start < length and (match.end > length or match.unit_inherited) and not match.multipack_total:
            box = line.span_box(match.start, min(match.end, length))
            if match.end > length:
                box = union(box, other.span_box(0, match.end - length - 1))
            fields = {**vars(match), "end": min(match.end, length)}
            found.append(Candidate(**fields, line=index, box=box, text_height=frame.height, spans_lines=True))
    return found


def _continues(text: str, other: str, units: tuple[str, ...]) -> bool:
    """Whether the other text begins with a unit after a number, or with a number after an open range or chain."""
    other = other.translate(CHARACTER_FOLD)
    if text.rstrip()[-1].isnumeric():
        return leading_unit(other, units) is not None
    return bool(re.match(r"\s*\d", other))


def _noted_units(lines: Sequence[TextLine], units: tuple[str, ...]) -> set[str]:
    """The units of length that notes on a drawing state."""
    folded = [line.text.translate(CHARACTER_FOLD) for line in lines]
    noted = (leading_unit(text[match.end() :], units) for text in folded for match in UNIT_NOTE.finditer(text))
    return {unit for unit in noted if unit}


def _common_units(found: Sequence[Candidate]) -> set[str]:
    """The units of the lengths on a photo; none where it has too few lengths to be a drawing."""
    on_photo = [c for c in found if c.line >= 0]
    certain = {(c.line, c.start) for c in on_photo if not (c.ocr_corrected or c.unit_inherited)}
    return {c.quantity.unit for c in on_photo} if len(certain) >= MIN_LENGTHS else set()


def _with_axes(found: Sequence[Candidate], legends: Sequence[Sequence[str]]) -> list[Candidate]:
    """The candidates; chains without axes have those of the legend in another line, where there is just one."""
    if len(legends) != 1:
        return list(found)
    (axes,) = legends
    return [
        replace(c, axis=axes[c.chain_index]) if not c.axis and c.line >= 0 and c.chain_length == len(axes) else c
        for c in found
    ]


def _with_axes_beside(found: Sequence[Candidate], lines: Sequence[TextLine], corners: np.ndarray) -> list[Candidate]:
    """The candidates; one at the start of its line has the axis that the line to its left names, as in a table."""
    names = [(axis, line) for line in lines if (axis := _axis_alone(line.text))]
    named = [(LineFrame(line).gaps_in_row(corners).tolist(), len(line.text), axis) for axis, line in names]
    complete = []
    for c in found:
        if named and c.line >= 0 and not c.axis and not lines[c.line].text[: c.start].strip():
            gap, length, axis = min((gaps[c.line], length, axis) for gaps, length, axis in named)
            if gap < (MAX_LETTER_GAP if length <= 2 else MAX_CELL_GAP):
                c = replace(c, axis=axis)
        complete.append(c)
    return complete


def _axis_alone(text: str) -> str:
    """The axis that a text consists of the name of, or ""."""
    return AXES.get(text.lower().strip(" :.()"), "")


def _of_whole_packs(found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates; of a multi-pack the total where it is printed, too, and the size of one elsewhere."""
    is_pack = np.array([c.multipack_total for c in found], dtype=bool)
    if not is_pack.any():
        return list(found)
    packs, others = np.flatnonzero(is_pack).tolist(), np.flatnonzero(~is_pack).tolist()
    amounts, spans = _amounts(found), np.array([(c.line, c.start, c.end) for c in found])
    totals = [i for i in packs if _equal_to_any(amounts[i], amounts[others], TOTAL_TOLERANCE)]
    sizes = [i for i in others if _within_any(spans[i], spans[totals])]
    single = [i for i in others if not _equal_to_any(amounts[i], amounts[sizes], EQUAL_TOLERANCE)]
    return [found[int(i)] for i in sorted([*totals, *single])]


def _amounts(found: Sequence[Candidate]) -> np.ndarray:
    """The SI values of each, float (C, 2): both ends of a range, or a value and -1."""
    values = [c.quantity.si_values for c in found]
    return np.array([of_one if len(of_one) == 2 else (*of_one, -1.0) for of_one in values]).reshape(-1, 2)


def _equal_to_any(amount: np.ndarray, others: np.ndarray, tolerance: float) -> bool:
    """Whether one of some amounts, (N, 2), is this one, (2,), within a relative tolerance as that of math.isclose."""
    difference = np.abs(others - amount)
    return bool((difference <= tolerance * np.maximum(np.abs(others), np.abs(amount))).all(axis=1).any())


def _within_any(part: np.ndarray, wholes: np.ndarray) -> bool:
    """Whether a span, line, start and end, (3,), lies in one of others, (N, 3)."""
    line, start, end = wholes.T
    return bool(((line == part[0]) & (start <= part[1]) & (part[2] <= end)).any())


def _with_context_unit(line: TextLine, index: int, unit: str, units: tuple[str, ...]) -> list[Candidate]:
    """The bare numbers of a line as quantities in the unit of the drawing."""
    text = line.text
    matches = find_quantities(f"{text} {unit}", units)
    on_text = [replace(match, end=min(match.end, len(text.rstrip()))) for match in matches]
    return [replace(_on_line(match, line, index), unit_from_context=True) for match in on_text]


def _compared(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates with `repeats` and `has_equivalent` set."""
    counts = Counter(c.quantity for c in candidates)
    amounts = [c.quantity.si_values for c in candidates]
    return [
        replace(
            c,
            repeats=counts[c.quantity],
            has_equivalent=any(
                c.quantity.unit != other.quantity.unit and _equal(amount, amounts[j])
                for j, other in enumerate(candidates)
            ),
        )
        for c, amount in zip(candidates, amounts, strict=True)
    ]


def _equal(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=EQUAL_TOLERANCE) for x, y in zip(a, b, strict=True))
