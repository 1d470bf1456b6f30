"""The quantities that a photo shows: what an answer may be chosen from.

Print is read line by line; a number may also find its unit in the next line ("500" above "g"), or, for lengths, in a
note that holds for the whole drawing ("Unit: cm") or in all its other lengths.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from resformer.model.ocr.text_line import Box, Point, TextLine
from resformer.model.quantities.measurements import leading_unit
from resformer.model.quantities.parser import find_quantities
from resformer.model.quantities.quantity import Candidate, QuantityMatch
from resformer.model.quantities.unit_aliases import CHARACTER_FOLD
from resformer.model.quantities.units import UNITS, to_si

__all__ = ["MAX_CANDIDATES", "find_candidates", "group_equal_amounts"]

MAX_CANDIDATES = 64
# How far the same amount in two units may differ after rounding: 12 oz (340 g).
SAME_AMOUNT = 0.03
OPEN_END = re.compile(r"(?:[\d½¼¾]|[\d\w][\"')]?\s*[-~xX*])\s*$")
NOTE = re.compile(
    r"\b(?:units?|dimensions?|measurements?|sizes?)\b(?:\s+are)?(?:\s+in)?\s*[:=(]?\s*|^\s*\((?=[^\d()]+\)\s*$)",
    re.IGNORECASE,
)
# Nothing but numbers, after the letter of a dimension, which a drawing with a note may call as it likes; no date, time
# or telephone number, and in a drawing without a note no year.
NUMBERS = r"[\dxX*½¼¾⅛⅜⅝⅞ .,:;()\[\]/~=≈±Øø-]+"
NO_LENGTHS = r"(?!.*(?:\d\s?([-:/.])\s?\d+\s?\1\s?\d|\d:\d|\d{5}))"
BARE = re.compile(rf"{NO_LENGTHS}\W{{0,3}}(?:[A-Za-z]{{1,2}}\W{{0,3}})?{NUMBERS}")
BARE_LENGTH = re.compile(rf"{NO_LENGTHS}(?!.*\d{{4}})\W{{0,3}}(?:[LWHDTlwhdt]\W{{0,3}})?{NUMBERS}")
FEWEST_LENGTHS = 2  # that tell their unit to others


def find_candidates(
    lines: Sequence[TextLine], units: Sequence[str], text: str = "", *, ranges: bool = True
) -> list[Candidate]:
    """All quantities in these units, those of the caller's text first, then in reading order.

    Args:
        lines: The print on the photo, in reading order.
        units: Canonical unit names of one dimension.
        text: Title and description from the caller.
        ranges: Whether a range is a candidate, beside its two ends.

    Returns:
        At most MAX_CANDIDATES; where there are more, those of the caller's text and those in the largest print.
    """
    units = tuple(units)
    found = [Candidate(**vars(match)) for match in find_quantities(text, units)]
    bare = []
    for i, line in enumerate(lines):
        matches = find_quantities(line.text, units)
        found += [_on_line(match, line, i) for match in matches]
        if any(c.isnumeric() for c in line.text):
            spans = {(match.start, match.end) for match in matches}
            found += [c for c in _merged(lines, i, units) if (c.start, c.end) not in spans]
            bare += [] if matches else [i]
    if UNITS[units[0]].dimension == "length":
        noted = _noted_units(lines, units)
        # Notes that contradict each other leave bare lengths without a unit.
        told, form = (noted, BARE) if noted else (_common_units(found), BARE_LENGTH)
        if len(told) == 1:
            unit = min(told)
            found += [c for i in bare if form.fullmatch(lines[i].text) for c in _stated(lines[i], i, unit, units)]
    found = [c for c in found if ranges or len(c.quantity.values) == 1]
    unique = {(c.line, c.start, c.end, c.quantity): c for c in reversed(found)}
    largest = sorted(unique.values(), key=lambda c: (c.line >= 0, -c.text_height))[:MAX_CANDIDATES]
    return _compare(sorted(largest, key=lambda c: (c.line, c.start, -c.end)))


def group_equal_amounts(candidates: Sequence[Candidate]) -> list[int]:
    """A number for each candidate, the same for those that give the same amount in whatever unit."""
    sizes = [list(c.quantity.si_values) for c in candidates]
    return [next(j for j, other in enumerate(sizes) if _same(size, other)) for size in sizes]


def _on_line(match: QuantityMatch, line: TextLine, index: int) -> Candidate:
    """A match in a line's text, as a candidate with its share of the line's corners for a box."""
    box = _cut(line, match.start, match.end)
    return Candidate(**vars(match), line=index, box=box, text_height=_Frame(line).height)


def _cut(line: TextLine, start: int, end: int) -> Box:
    """Bounds of a part of a line's text, as if all characters were equally wide."""
    top_left, top_right, bottom_right, bottom_left = line.reading_corners
    points = [
        (left[0] + (right[0] - left[0]) * share, left[1] + (right[1] - left[1]) * share)
        for left, right in ((top_left, top_right), (bottom_left, bottom_right))
        for share in (start / len(line.text), end / len(line.text))
    ]
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys), max(xs), max(ys))


class _Frame:
    """A line's own axes: u runs along its text, v down its glyphs, both in pixels from its top left corner."""

    def __init__(self, line: TextLine):
        self._origin, right, _, down = line.reading_corners
        self.width, self.height = math.dist(self._origin, right), math.dist(self._origin, down)
        self._u = self._unit(right, self.width)
        self._v = self._unit(down, self.height)

    def _unit(self, corner: Point, length: float) -> Point:
        return ((corner[0] - self._origin[0]) / (length or 1), (corner[1] - self._origin[1]) / (length or 1))

    def bounds(self, line: TextLine) -> Box:
        """Bounds (u0, v0, u1, v1) of another line in these axes."""
        offsets = [(x - self._origin[0], y - self._origin[1]) for x, y in line.corners]
        us = [x * self._u[0] + y * self._u[1] for x, y in offsets]
        vs = [x * self._v[0] + y * self._v[1] for x, y in offsets]
        return (min(us), min(vs), max(us), max(vs))

    def distance(self, line: TextLine) -> float | None:
        """Gap in text heights to a line that continues this one, at its right or below it; None if it does not."""
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


def _merged(lines: Sequence[TextLine], index: int, units: tuple[str, ...]) -> list[Candidate]:
    """Quantities of a line that ends with a bare number, or amid a range or chain, and of its nearest neighbour."""
    line, frame = lines[index], _Frame(lines[index])
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
    spans_lines = []
    for match in find_quantities(f"{line.text} {other.text}", units):
        if match.start < length and (match.end > length or match.unit_inherited) and not match.multipack_total:
            box = _cut(line, match.start, min(match.end, length))
            if match.end > length:
                box = _union(box, _cut(other, 0, match.end - length - 1))
            fields = {**vars(match), "end": min(match.end, length)}
            spans_lines.append(Candidate(**fields, line=index, box=box, text_height=frame.height, spans_lines=True))
    return spans_lines


def _continues(text: str, other: str, units: tuple[str, ...]) -> bool:
    """Whether a unit follows a number, or a number follows an open range or chain."""
    other = other.translate(CHARACTER_FOLD)
    if text.rstrip()[-1].isnumeric():
        return leading_unit(other, units) is not None
    return bool(re.match(r"\s*\d", other))


def _union(a: Box, b: Box) -> Box:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _noted_units(lines: Sequence[TextLine], units: tuple[str, ...]) -> set[str]:
    """The units of length that notes on a drawing state."""
    folded = [line.text.translate(CHARACTER_FOLD) for line in lines]
    noted = (leading_unit(text[match.end() :], units) for text in folded for match in NOTE.finditer(text))
    return {unit for unit in noted if unit}


def _common_units(found: Sequence[Candidate]) -> set[str]:
    """The units that the lengths on the photo have, where there are enough of them to be a drawing's."""
    printed = [c for c in found if c.line >= 0]
    surely = {(c.line, c.start) for c in printed if not (c.ocr_corrected or c.unit_inherited)}
    return {c.quantity.unit for c in printed} if len(surely) >= FEWEST_LENGTHS else set()


def _stated(line: TextLine, index: int, unit: str, units: tuple[str, ...]) -> list[Candidate]:
    """The bare numbers of a line as quantities in the unit of the drawing."""
    text = line.text
    matches = find_quantities(f"{text} {unit}", units)
    ends = [replace(match, end=min(match.end, len(text.rstrip()))) for match in matches]
    return [replace(_on_line(match, line, index), unit_from_context=True) for match in ends]


def _compare(candidates: list[Candidate]) -> list[Candidate]:
    """The candidates with what they say about each other."""
    counts = Counter(c.quantity for c in candidates)
    sizes = [[float(to_si(value, c.quantity.unit)) for value in c.quantity.values] for c in candidates]
    return [
        replace(
            c,
            repeats=counts[c.quantity],
            has_equivalent=any(
                c.quantity.unit != other.quantity.unit and _same(size, sizes[j]) for j, other in enumerate(candidates)
            ),
        )
        for c, size in zip(candidates, sizes, strict=True)
    ]


def _same(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=SAME_AMOUNT) for x, y in zip(a, b, strict=True))
