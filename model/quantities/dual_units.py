"""Corrects OCR errors in quantities by the same amount in another unit beside them.

`3.18 OZ (909)` is 90 g, and `1 KG/22 LBS` is 2.2 lb.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from resformer.model.quantities.measurements import Measurement
from resformer.model.quantities.numbers import parse_number
from resformer.model.quantities.units import UNITS, to_si

__all__ = ["is_metric", "reconcile_dual_units"]

# What may stand between the two amounts.
BETWEEN_AMOUNTS = r"\)?\s?[-/|=~]?\s?\(?\s?"
# A number whose unit g was read as a digit.
GRAMS = r"(?<![\d.,])(?P<number>\d{1,4}(?:[.,]\d)?)\s?(?P<unit>[96])"
GRAMS_AFTER = re.compile(rf"{BETWEEN_AMOUNTS}{GRAMS}(?!\d|[.,]\d|\s?[A-Za-z%])")
GRAMS_BEFORE = re.compile(rf"{GRAMS}{BETWEEN_AMOUNTS}$")
BETWEEN = re.compile(BETWEEN_AMOUNTS)
# Characters that GRAMS_BEFORE can match: a search of the whole text would take the square of its length.
MAX_GRAMS_CHARACTERS = 16
TOLERANCE = 0.02  # relative difference between equal amounts
LOST_FACTORS = (10, 100)  # of a number whose decimal point is lost


def reconcile_dual_units(text: str, measurements: Sequence[Measurement], units: Sequence[str]) -> list[Measurement]:
    """The measurements of a text with lost decimal points restored, and grams where OCR read a digit for the g.

    Args:
        text: folded by CHARACTER_FOLD.
        measurements: of the text, in reading order.
        units: canonical names of the units asked for; grams are looked for only where they are among them.
    """
    corrected = _restore_points(text, measurements)
    with_unit, misread, found = {m.start for m in corrected if m.unit}, set[int](), list[Measurement]()
    for known in measurements if "gram" in units else ():
        if known.unit in ("ounce", "pound") and (grams := _grams_beside(text, known)):
            span = range(grams.start, grams.end)
            if with_unit.isdisjoint(span):
                found.append(grams)
                with_unit.add(grams.start)
                misread.update(span)
    return sorted([*(m for m in corrected if m.start not in misread), *found], key=lambda m: m.start)


def _restore_points(text: str, measurements: Sequence[Measurement]) -> list[Measurement]:
    corrected = list(measurements)
    for i, (a, b) in enumerate(pairwise(measurements)):
        # 10 cm / 10 mm are two lengths; 10 cm / 39 in are one.
        if a.unit and b.unit and is_metric(a.unit) != is_metric(b.unit) and BETWEEN.fullmatch(text, a.right, b.left):
            if _equals(a, b) or _equals(b, a):
                continue
            for index, wrong, other in ((i, a, b), (i + 1, b, a)):
                for factor in LOST_FACTORS:
                    if wrong.value % 1 == 0 and wrong.value >= factor:
                        restored = replace(wrong, value=wrong.value / factor, ocr_corrected=True)
                        if _equals(restored, other):
                            corrected[index] = restored
    return corrected


def is_metric(unit: str) -> bool:
    """Whether a canonical unit is a metric one."""
    return unit.endswith(("metre", "gram", "litre", "ton"))


def _grams_beside(text: str, known: Measurement) -> Measurement | None:
    """Grams with a misread unit that equal the known ounces or pounds which they stand beside."""
    match = GRAMS_AFTER.match(text, known.end) or GRAMS_BEFORE.search(
        text, max(0, known.start - MAX_GRAMS_CHARACTERS), known.start
    )
    value = parse_number(match["number"]) if match else None
    if match is None or not value:
        return None
    start, end = match.start("number"), match.end("unit")
    grams = Measurement(value, "gram", start, end, start, end, axis="", ocr_corrected=True)
    return grams if _equals(grams, known) else None


def _equals(corrected: Measurement, other: Measurement) -> bool:
    """Whether both are one amount, to the precision of the corrected one's own digits: 0.1 g is 0.004 oz."""
    amount, expected = (float(to_si(m.value, m.unit or "")) for m in (corrected, other))
    step = float(UNITS[corrected.unit or ""].factor) * 10.0 ** min(0, int(corrected.value.as_tuple().exponent))
    return abs(amount - expected) <= max(TOLERANCE * expected, step / 2)
