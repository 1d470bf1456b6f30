"""Candidates: the quantities on a photo and in the caller's text that a question may be answered with.

Text is parsed line by line. A number may also have its unit in the next line ("500" above "g"). A bare length may take
its unit from context: from a note that holds for the whole drawing ("Unit: cm"), or from all its other lengths.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from resformer.model.ocr.boxes import Box, Point, bounds, union
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.measurements import AXES, leading_unit
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
        At most MAX_CANDIDATES; where there are more, those of the caller's text and those in the largest text.
    """
    units = tuple(units)
    decimal_comma = writes_decimal_comma([text, *(line.text for line in lines)])
    found = [Candidate(**vars(match)) for match in find_quantities(text, units, decimal_comma=decimal_comma)]
    bare = []
    for i, line in enumerate(lines):
        matches = find_quantities(line.text, units, decimal_comma=decimal_comma)
        found += [_on_line(match, line, i) for match in matches]
        if any(c.isnumeric() for c in line.text):
            spans = {(match.start, match.end) for match in matches}
            found += [c for c in _spanning_lines(lines, i, units) if (c.start, c.end) not in spans]
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
        found = _with_axes_beside(found, lines)
    found = _of_whole_packs(found)
    found = [c for c in found if ranges or len(c.quantity.values) == 1]
    unique = {(c.line, c.start, c.end, c.quantity): c for c in reversed(found)}
    largest = sorted(unique.values(), key=lambda c: (c.line >= 0, -c.text_height))[:MAX_CANDIDATES]
    return _compared(sorted(largest, key=lambda c: (c.line, c.start, -c.end)))


def group_equal_amounts(candidates: Sequence[Candidate]) -> list[int]:
    """An integer for each candidate, equal for those that give the same amount in whatever unit."""
    amounts = [c.quantity.si_values for c in candidates]
    return [next(j for j, other in enumerate(amounts) if _equal(amount, other)) for amount in amounts]


def _on_line(match: QuantityMatch, line: TextLine, index: int) -> Candidate:
    """A match in a line's text as a candidate, with the box of its characters."""
    box = line.span_box(match.start, match.end)
    return Candidate(**vars(match), line=index, box=box, text_height=_LineFrame(line).height)


class _LineFrame:
    """A line's own axes, in pixels from where its text begins: u runs along the text, v from its top to its bottom."""

    def __init__(self, line: TextLine):
        self._origin, right, _, down = line.reading_corners
        self.width, self.height = math.dist(self._origin, right), math.dist(self._origin, down)
        self._u = self._direction(right, self.width)
        self._v = self._direction(down, self.height)

    def _direction(self, corner: Point, length: float) -> Point:
        return ((corner[0] - self._origin[0]) / (length or 1), (corner[1] - self._origin[1]) / (length or 1))

    def bounds(self, line: TextLine) -> Box:
        """Bounds (u0, v0, u1, v1) of another line in these axes."""
        offsets = [(x - self._origin[0], y - self._origin[1]) for x, y in line.corners]
        return bounds((x * self._u[0] + y * self._u[1], x * self._v[0] + y * self._v[1]) for x, y in offsets)

    def gap_in_row(self, line: TextLine) -> float:
        """Gap in text heights to a line that begins to the right, at the same height; infinite for other lines."""
        u0, v0, _, v1 = self.bounds(line)
        height = self.height or 1
        gap = (u0 - self.width) / height
        return max(gap, 0) if gap > -0.5 and abs((v0 + v1) / 2 / height - 0.5) < 0.6 else math.inf

    def distance(self, line: TextLine) -> float | None:
        """Gap in text heights to a line to the right or below that may continue this one; None for other lines."""
        u0, v0, u1, v1 = self.bounds(line)
        height = self.height or 1
        if not 0.25 < (v1 - v0) / height < 3:
            return None
        right, below = (u0 - self.width) / height, (v0 - self.height) / height
        if -0.5 < right < 1.5 and -0.2 < (v0 + v1) / 2 / height < 1.2:
            return max(right, 0)
        if -0.4 < below < 0.8 and u0 < self.width and u1 > 0:
            return max(below, 0)
        return None


def _spanning_lines(lines: Sequence[TextLine], index: int, units: tuple[str, ...]) -> list[Candidate]:
    """Quantities that begin in a line with an open end and end in the nearest line that continues it."""
    line, frame = lines[index], _LineFrame(lines[index])
    if not OPEN_END.search(line.text.translate(CHARACTER_FOLD)):
        return []
    near = [
        (distance, j)
        for j, other in enumerate(lines)
        if j != index and (distance := frame.distance(other)) is not None and _continues(line.text, other.text, units)
    ]
    if not near:
        return []
    other = lines[min(near)[1]]
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


def _with_axes_beside(found: Sequence[Candidate], lines: Sequence[TextLine]) -> list[Candidate]:
    """The candidates; one at the start of its line has the axis that the line to its left names, as in a table."""
    named = [(axis, _LineFrame(line), len(line.text)) for line in lines if (axis := _axis_alone(line.text))]
    complete = []
    for c in found:
        if named and c.line >= 0 and not c.axis and not lines[c.line].text[: c.start].strip():
            gaps = [(frame.gap_in_row(lines[c.line]), length, axis) for axis, frame, length in named]
            gap, length, axis = min(gaps)
            if gap < (MAX_LETTER_GAP if length <= 2 else MAX_CELL_GAP):
                c = replace(c, axis=axis)
        complete.append(c)
    return complete


def _axis_alone(text: str) -> str:
    """The axis that a text consists of the name of, or ""."""
    return AXES.get(text.lower().strip(" :.()"), "")


def _of_whole_packs(found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates; of a multi-pack the total where it is printed, too, and the size of one elsewhere."""
    printed = [c for c in found if not c.multipack_total]
    totals = [c for c in found if c.multipack_total and any(_is_total(c, other) for other in printed)]
    sizes = [c.quantity.si_values for c in printed if any(_within(c, total) for total in totals)]
    return [
        c
        for c in found
        if (c in totals if c.multipack_total else not any(_equal(c.quantity.si_values, size) for size in sizes))
    ]


def _is_total(total: Candidate, printed: Candidate) -> bool:
    return _equal(total.quantity.si_values, printed.quantity.si_values, TOTAL_TOLERANCE)


def _within(part: Candidate, whole: Candidate) -> bool:
    return part.line == whole.line and whole.start <= part.start and part.end <= whole.end


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


def _equal(a: Sequence[float], b: Sequence[float], tolerance: float = EQUAL_TOLERANCE) -> bool:
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=tolerance) for x, y in zip(a, b, strict=True))
