"""Quantities found in text.

A line is split into measurements: numbers, each with its unit and axis where they stand directly beside it (`W60`). The
text between two measurements links them (LINKS): `10 x 20 x 30 cm` is a chain, `100-240 V` a range, `110/220 V` a list.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.dual_units import reconcile_dual_units
from resformer.model.quantities.measurements import Measurement, find_measurements
from resformer.model.quantities.quantity import Quantity, QuantityMatch
from resformer.model.quantities.units import UNITS

__all__ = ["find_quantities", "parse_quantity"]

Group = tuple[str, range]
"""A kind of link (a key of LINKS), and the indices of the measurements that are linked by it."""

# Patterns of the text between two numbers, by the kind of link that it is.
LINKS = {
    "chain": re.compile(r"\s*\)?\s*(?:[xX*]|by)\s*\(?\s*"),
    "range": re.compile(r"\s*(?:-|~|to|bis|\.{2,3})\s*", re.IGNORECASE),
    "list": re.compile(r"\s*(?:/|&|or|and|±|\+/?-)\s*", re.IGNORECASE),
}
# The text between the two parts of a compound, as in 5' 2".
JOINT = re.compile(r"\s*-?\s*")
# The smaller unit that may follow a larger one in a compound.
COMPOUNDS = {"foot": "inch", "pound": "ounce"}


def parse_quantity(text: str, units: Sequence[str]) -> Quantity | None:
    """The quantity that the whole text spells in one of these units, or None.

    >>> str(parse_quantity("10 kilogram to 25 kilogram", ["kilogram"]))
    '[10, 25] kilogram'
    """
    text = re.sub(r"^\s*\[([^\[\],]+), ([^\[\],]+)\]", r"\1 to \2", text).strip()
    for match in find_quantities(text, units):
        if match.start == 0 and not text[match.end :].strip(".) ~=⎓") and not (match.multipack_total or match.per_area):
            return match.quantity
    return None


def find_quantities(text: str, units: Sequence[str]) -> list[QuantityMatch]:
    """All quantities of a line of text in these units, in reading order.

    A range comes before its two ends.

    Args:
        text: one line.
        units: canonical unit names of one dimension. An alias that units of several dimensions share ("oz") stands for
            the one among these.
    """
    folded = text.translate(CHARACTER_FOLD)
    measurements = reconcile_dual_units(folded, find_measurements(folded, tuple(units)), units)
    gaps = [folded[a.right : b.left] for a, b in pairwise(measurements)]
    links = [_link(gap, a, b) for gap, (a, b) in zip(gaps, pairwise(measurements), strict=True)]
    groups = [
        (link, range(run[0], run[-1] + 2))
        for link, found in groupby(range(len(links)), key=links.__getitem__)
        if link and (run := list(found))
    ]
    complete = _inherit(measurements, groups)
    joints = [i for i, gap in enumerate(gaps) if JOINT.fullmatch(gap)]
    compounds = [match for i in joints if (match := _compound(complete[i], complete[i + 1]))]
    matches = [
        *compounds,
        *(m for link, group in groups if len(group) == 2 for m in _pairs(link, *(complete[i] for i in group))),
        *_singles(measurements, complete, groups),
    ]
    # The parts of a compound are no quantities of their own.
    parts = {position for match in compounds for position in range(match.start, match.end)}
    matches = [match for match in matches if match.compound or match.start not in parts]
    return sorted(matches, key=lambda match: (match.start, -match.end))


def _link(gap: str, a: Measurement, b: Measurement) -> str:
    link = next((link for link, pattern in LINKS.items() if pattern.fullmatch(gap)), "")
    # In 220-240V-50Hz the number behind the unit belongs to another quantity.
    return "" if link == "range" and a.unit and not b.unit else link


def _inherit(measurements: list[Measurement], groups: list[Group]) -> list[Measurement]:
    """The measurements, with bare numbers in the units of the numbers that they are linked to."""
    complete = list(measurements)
    for link, group in reversed(groups):
        if link == "chain" and any(complete[i].unit and not _is_length(complete[i].unit) for i in group):
            continue  # The bare number of a multi-pack is a count.
        for i in reversed(group[:-1]):
            if complete[i].unit is None and (link != "range" or len(group) == 2):
                complete[i] = replace(complete[i], unit=complete[i + 1].unit, per_area=complete[i + 1].per_area)
        for i in group[1:] if link == "chain" else ():
            if complete[i].unit is None:
                complete[i] = replace(complete[i], unit=complete[i - 1].unit, per_area=complete[i - 1].per_area)
    return complete


def _is_length(unit: str | None) -> bool:
    return unit is not None and UNITS[unit].dimension == "length"


def _singles(
    measurements: list[Measurement], complete: list[Measurement], groups: list[Group]
) -> Iterator[QuantityMatch]:
    """Every number that has a unit of its own or an inherited one."""
    chains = {i: (k, len(group)) for link, group in groups if link == "chain" for k, i in enumerate(group)}
    ends = {i for link, group in groups if link == "range" and len(group) == 2 for i in group}
    for i, measurement in enumerate(complete):
        if measurement.unit:
            index, length = chains.get(i, (0, 1))
            yield QuantityMatch(
                quantity=Quantity((measurement.value,), measurement.unit),
                start=measurement.start,
                end=measurement.end,
                axis=measurement.axis,
                chain_index=index,
                chain_length=length,
                range_member=i in ends,
                unit_inherited=measurements[i].unit is None,
                ocr_corrected=measurement.ocr_corrected,
                per_area=measurement.per_area,
            )


def _pairs(link: str, a: Measurement, b: Measurement) -> Iterator[QuantityMatch]:
    """The range from a to b, or the total of a multi-pack of a times b."""
    flags: dict[str, Any] = {"ocr_corrected": a.ocr_corrected or b.ocr_corrected, "per_area": a.per_area or b.per_area}
    if link == "range" and a.unit and a.unit == b.unit and a.value != b.value:
        low, high = sorted((a.value, b.value))
        yield QuantityMatch(quantity=Quantity((low, high), a.unit), start=a.start, end=b.end, **flags)
    if link == "chain" and (a.unit is None) != (b.unit is None) and not flags["per_area"]:
        count = b if a.unit else a
        if count.value % 1 == 0 and count.value > 1:
            total = Quantity((a.value * b.value,), a.unit or b.unit or "")
            yield QuantityMatch(quantity=total, start=a.start, end=b.end, multipack_total=True, **flags)


def _compound(a: Measurement, b: Measurement) -> QuantityMatch | None:
    """Feet and inches, or pounds and ounces, as one quantity in the smaller unit."""
    small = COMPOUNDS.get(a.unit or "")
    if a.unit is None or small is None or a.value % 1:
        return None
    # The inch mark may be missing, as in 5'2.
    if b.unit != small and not (b.unit is None and b.left == a.right):
        return None
    ratio = UNITS[a.unit].factor / UNITS[small].factor
    if b.value >= ratio:
        return None
    total = Quantity((a.value * int(ratio) + b.value,), small)
    return QuantityMatch(quantity=total, start=a.start, end=b.end, axis=a.axis or b.axis, compound=True)
