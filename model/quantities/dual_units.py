"""What a reader lost of a quantity, told by the same amount in another unit beside it.

`3.18 OZ (909)` is 90 g, and `1 KG/22 LBS` is 2.2 lb.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from resformer.model.quantities.measurements import Measurement
from resformer.model.quantities.numbers import parse_number
from resformer.model.quantities.units import UNITS, to_si

__all__ = ["reconcile_dual_units"]

GAP = r"\)?\s?[-/|=~]?\s?\(?\s?"
GRAMS = r"(?<![\d.,])(?P<number>\d{1,4}(?:[.,]\d)?)\s?(?P<unit>[96])"
GRAMS_AFTER = re.compile(rf"{GAP}{GRAMS}(?!\d|[.,]\d|\s?[A-Za-z%])")
GRAMS_BEFORE = re.compile(rf"{GRAMS}{GAP}$")
BETWEEN = re.compile(GAP)
LONGEST = 16  # characters that GRAMS_BEFORE can match: searching whole texts would take the square of their length
TOLERANCE = 0.02


def reconcile_dual_units(text: str, measures: Sequence[Measurement], units: Sequence[str]) -> list[Measurement]:
    """The measures of a folded text (CHARACTER_FOLD), with lost points set, and grams read where a digit stands.

    Args:
        measures: in reading order.
        units: canonical names of the units asked for; no grams are looked for where they are not among them.
    """
    mended = _with_points(text, measures)
    for known in measures if "gram" in units else ():
        if known.unit in ("ounce", "pound") and (grams := _grams_beside(text, known)):
            taken = range(grams.start, grams.end)
            if not any(m.unit and m.start in taken for m in mended):
                mended = [*(m for m in mended if m.start not in taken), grams]
    return sorted(mended, key=lambda m: m.start)


def _with_points(text: str, measures: Sequence[Measurement]) -> list[Measurement]:
    mended = list(measures)
    for i, (a, b) in enumerate(pairwise(measures)):
        # 10 cm / 10 mm are two lengths; 10 cm / 39 in are one.
        if a.unit and b.unit and _is_metric(a.unit) != _is_metric(b.unit) and BETWEEN.fullmatch(text, a.right, b.left):
            if _is_amount_of(a, b) or _is_amount_of(b, a):
                continue
            for place, lost, twin in ((i, a, b), (i + 1, b, a)):
                powers = [power for power in (10, 100) if lost.value % 1 == 0 and lost.value >= power]
                for pointed in (replace(lost, value=lost.value / power, ocr_corrected=True) for power in powers):
                    if _is_amount_of(pointed, twin):
                        mended[place] = pointed
    return mended


def _is_metric(unit: str) -> bool:
    return unit.endswith(("metre", "gram", "litre", "ton"))


def _grams_beside(text: str, known: Measurement) -> Measurement | None:
    match = GRAMS_AFTER.match(text, known.end) or GRAMS_BEFORE.search(text, max(0, known.start - LONGEST), known.start)
    value = parse_number(match["number"]) if match else None
    if match is None or not value:
        return None
    start, end = match.start("number"), match.end("unit")
    grams = Measurement(value, "gram", start, end, start, end, axis="", ocr_corrected=True)
    return grams if _is_amount_of(grams, known) else None


def _is_amount_of(mended: Measurement, twin: Measurement) -> bool:
    """Whether a measure is the amount of its twin, as far as its own digits tell: 0.1 g is 0.004 oz."""
    size, expected = (float(to_si(m.value, m.unit or "")) for m in (mended, twin))
    step = float(UNITS[mended.unit or ""].factor) * 10.0 ** min(0, int(mended.value.as_tuple().exponent))
    return abs(size - expected) <= max(TOLERANCE * expected, step / 2)
