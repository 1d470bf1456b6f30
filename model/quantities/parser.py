"""Quantities found in text.

A line is split into measurements: numbers, each with its unit and axis where they stand directly beside it (`W60`). The
text between two measurements links them (LINKS): `10 x 20 x 30 cm` is a chain, `100-240 V` a range, `110/220 V` a list.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.dual_units import is_metric, reconcile_dual_units
from resformer.model.quantities.measurements import AXES, LEFT_OUT, Measurement, find_measurements
from resformer.model.quantities.quantity import Quantity, QuantityMatch
from resformer.model.quantities.units import UNITS

__all__ = ["find_quantities", "legend_alone", "parse_quantity", "writes_decimal_comma"]

Group = tuple[str, range]
"""A kind of link (a key of LINKS), and the indices of the measurements that are linked by it."""

# What packs, and words for "of" between a count and a size: 3 pz da 330 ml, 4 bouteilles de 20 cl.
PIECES = """
    pc|pcs|pieces?|pack|packs|pk|pks|packets?|ct|counts?|units?|cans?|bottles?|jars?|bags?|sachets?|boxes|box|bars?|tins?|tubes?
    |pouch|pouches|cartons?|rolls?|sticks?|stück|stk|st|dosen?|flaschen?|packungen|packung|beutel|gläser
    |riegel|pièces?|pces?|bouteilles?|canettes?|boîtes?|sachets?|pots?|briques?|unidades|uds|ud|botellas?|latas?|sobres?|piezas
    |pz|pezzi|pezzo|bottiglie|lattine|bustine|vasetti|confezioni|garrafas?|unid|pacotes?|saquetas|stuks?|flessen|blikken|blikjes
    |zakjes|potjes|szt|sztuk|butelek|butelki|puszek|puszki|saszetek
"""
OF = r"of|x|@|à|a|de|da|di|von|zu|je|per|van|po|each"
# Patterns of the text between two numbers, by the kind of link that it is.
LINKS = {
    "chain": re.compile(r"\s*\)?\s*(?:[xX*]|by)\s*\(?\s*"),
    "count": re.compile(rf"[\s-]*(?:{PIECES})\b\.?\s*[,(:-]?\s*(?:(?:{OF})\b|[x*])?\s*", re.IGNORECASE | re.VERBOSE),
    "range": re.compile(r"\s*(?:-|~|to|bis|\.{2,3})\s*", re.IGNORECASE),
    "list": re.compile(r"\s*(?:/|&|or|and)\s*", re.IGNORECASE),
}
# How much the number before may differ, without its unit, which may be that of both: 300 ±5 mm, 850 (±2) mm.
TOLERANCE = re.compile(r"(?<!\s)\s*\(?(?:±|\+\s?/?\s?-)\s*\d+(?:[.,]\d+)?\)?")
# The text between the two parts of a compound, as in 5' 2", 3 lbs, 6.4 oz and 5 ft. & 6 in.; commas between metric
# amounts list sizes.
JOINT = re.compile(r"\.?\s*(?:[-,&+]|and)?\s*", re.IGNORECASE)
METRIC_JOINT = re.compile(r"\s*(?:[&+]|and|und|et|y|e)?\s*", re.IGNORECASE)
# The smaller unit that may follow a larger one in a compound, and is what the compound is given in.
COMPOUNDS = {
    "foot": "inch",
    "pound": "ounce",
    "kilogram": "gram",
    "metre": "centimetre",
    "litre": "millilitre",
    "gallon": "quart",
    "quart": "fluid ounce",
    "pint": "fluid ounce",
}
# Text between two numbers of more characters links them in no way; the patterns would take the square of its length.
MAX_GAP = 64
# What stands between numbers that have their axes written beside them, as in H90 W60 D45 cm.
BETWEEN_AXES = re.compile(r"[\s,;/|]*")
# No product has as much in any unit, and NUMBER reads no more digits: a total or a compound of more could not be parsed
# back from its canonical form.
TOO_LARGE = 10**9
_AXIS = rf"(?:{'|'.join(sorted(AXES, key=len, reverse=True))})"
# The axes of the numbers of a chain, before it or behind it: (W x D x H), B/T/H:
LEGEND = re.compile(rf"(?<!\w)\(?\s?{_AXIS}\.?(?:\s?[x*/,-]\s?{_AXIS}\.?){{1,2}}\s?\)?(?!\w)\s?[:=]?", re.IGNORECASE)
# A number with a decimal comma, and words for weight, content and power in languages that write one.
DECIMAL_COMMA = re.compile(
    r"(?<![\d.,])\d+,\d{1,2}(?![\d,])"
    r"|(?i:gewicht|inhalt|leistung|füllmenge|\b(?:poids|contenance|contenu|puissance|peso|contenido|contenuto|conteúdo"
    r"|potencia|potenza|potência|inhoud|vermogen|masa|waga|zawartość|moc|масса|вес|объ[её]м|мощность)\b)"
)
# Units of which products seldom have less than ten: a point before three digits of them separates thousands.
SMALL_UNITS = {"millimetre", "microgram", "milligram", "gram", "watt", "volt", "millivolt", "microlitre", "millilitre"}


def parse_quantity(text: str, units: Sequence[str]) -> Quantity | None:
    """The quantity that the whole text spells in one of these units, or None.

    >>> str(parse_quantity("10 kilogram to 25 kilogram", ["kilogram"]))
    '[10, 25] kilogram'
    """
    text = re.sub(r"^\s*\[([^\[\],]+), ([^\[\],]+)\]", r"\1 to \2", text).strip()
    for match in _find(text, units, is_canonical=True):
        if match.start == 0 and not text[match.end :].strip(".) ~=⎓") and not (match.multipack_total or match.per_area):
            return match.quantity
    return None


def find_quantities(text: str, units: Sequence[str], *, decimal_comma: bool = False) -> list[QuantityMatch]:
    """All quantities of a line of text in these units, in reading order.

    A range comes before its two ends.

    Args:
        text: one line.
        units: canonical unit names of one dimension. An alias that units of several dimensions share ("oz") stands for
            the one among these.
        decimal_comma: whether a comma is known to separate decimals, see writes_decimal_comma; otherwise it may
            separate thousands.
    """
    return _find(text, units, decimal_comma=decimal_comma)


def writes_decimal_comma(texts: Iterable[str]) -> bool:
    """Whether a number or a word of the texts shows that a comma separates decimals."""
    return any(DECIMAL_COMMA.search(text) for text in texts)


def _find(
    text: str, units: Sequence[str], *, decimal_comma: bool = False, is_canonical: bool = False
) -> list[QuantityMatch]:
    """See find_quantities; in canonical form a point separates no thousands."""
    if not any(c.isnumeric() for c in text):
        return []
    folded = text.translate(CHARACTER_FOLD)
    legends: list[list[str]] = []
    if _is_length(units[0]):
        folded, legends = _without_legends(folded)
    folded = TOLERANCE.sub(lambda match: LEFT_OUT * len(match[0]), folded)
    measurements = reconcile_dual_units(folded, find_measurements(folded, tuple(units)), units)
    gaps = [_gap(folded, a, b) for a, b in pairwise(measurements)]
    links = [_link(gap, a, b) for gap, (a, b) in zip(gaps, pairwise(measurements), strict=True)]
    groups = [
        (link, range(run[0], run[-1] + 2))
        for link, found in groupby(range(len(links)), key=links.__getitem__)
        if link and (run := list(found))
    ]
    complete = _with_axes(_inherit(measurements, groups), groups, legends)
    if not is_canonical:
        complete = [_read_for_unit(measurement, decimal_comma=decimal_comma) for measurement in complete]
    compounds = [m for gap, (a, b) in zip(gaps, pairwise(complete), strict=True) if (m := _compound(gap, a, b))]
    matches = [
        *compounds,
        *(m for link, group in groups if len(group) == 2 for m in _pairs(link, *(complete[i] for i in group))),
        *_singles(measurements, complete, groups),
    ]
    matches = [match for match in matches if max(match.quantity.values) < TOO_LARGE]
    # The parts of a compound are no quantities of their own.
    parts = {position for match in matches if match.compound for position in range(match.start, match.end)}
    matches = [match for match in matches if match.compound or match.start not in parts]
    return sorted(matches, key=lambda match: (match.start, -match.end))


def legend_alone(text: str) -> list[str]:
    """The axes of a line that names them for a chain in another line: `Size (W x D x H)`; else none."""
    rest, legends = _without_legends(text.translate(CHARACTER_FOLD))
    return legends[0] if len(legends) == 1 and not any(c.isnumeric() for c in rest) else []


def _without_legends(text: str) -> tuple[str, list[list[str]]]:
    """The text with spaces for its legends, and the axes of each."""
    words = [re.findall(_AXIS, match[0].lower()) for match in LEGEND.finditer(text)]
    # Where b is Breite, t is Tiefe.
    legends = [["d" if word == "t" and "b" in of_legend else AXES[word] for word in of_legend] for of_legend in words]
    return LEGEND.sub(lambda match: " " * len(match[0]), text), legends


def _with_axes(measurements: list[Measurement], groups: list[Group], legends: list[list[str]]) -> list[Measurement]:
    """The measurements with the axes of legends: that of the same length holds for all chains and lists of the line."""
    complete = list(measurements)
    for link, group in groups:
        legend = next((axes for axes in legends if len(axes) == len(group) and link in ("chain", "list")), None)
        for axis, i in zip(legend or (), group, strict=False):
            complete[i] = replace(complete[i], axis=complete[i].axis or axis)
        if {complete[i].axis for i in group} == {"l", "d", "h"}:
            # Length, depth and height: the length is the width, and French L is largeur.
            wide = next(i for i in group if complete[i].axis == "l")
            complete[wide] = replace(complete[wide], axis="w")
    return complete


def _read_for_unit(measurement: Measurement, *, decimal_comma: bool) -> Measurement:
    """The measurement with the likelier reading of its number first, and the other one where it is likely too.

    1.000 W are a thousand, 1.500 W may be one and a half, 1.000 kg are one; 1,000 W are a thousand, 1,000 kg may be
    one, and are where commas are known to separate decimals.
    """
    second = measurement.second
    if second is None or second[1] > measurement.start:
        return measurement
    has_point = second[0] > measurement.value
    low, high = sorted((measurement.value, second[0]))
    if measurement.unit in SMALL_UNITS:
        is_unsure = has_point and low % 1 and not decimal_comma
        return replace(measurement, value=high, second=(low, second[1]) if is_unsure else None)
    return replace(measurement, value=low, second=None) if has_point or decimal_comma else measurement


def _gap(text: str, a: Measurement, b: Measurement) -> str:
    """The text between two numbers, or an ellipsis for more of it than links numbers."""
    return text[a.right : b.left].replace(LEFT_OUT, " ") if b.left - a.right <= MAX_GAP else "…"


def _link(gap: str, a: Measurement, b: Measurement) -> str:
    link = next((link for link, pattern in LINKS.items() if pattern.fullmatch(gap)), "")
    if not link and a.axis and b.axis and a.unit is None and BETWEEN_AXES.fullmatch(gap):
        return "chain"
    if link == "count":  # 3 bottles of 500 ml is a chain as 3 x 500 ml is; 3 packs 10 cm wide is none
        return "chain" if a.unit is None and b.unit and not _is_length(b.unit) else ""
    if link == "range" and a.unit and not b.unit:
        return ""  # in 220-240V-50Hz the number behind the unit belongs to another quantity
    if link == "range" and b.unit and b.value < a.value and a.unit in (None, b.unit):
        # A range rises. 12-1.5 oz are twelve of 1.5 oz, 240-110 V are two voltages.
        return "chain" if a.unit is None and UNITS[b.unit].dimension in ("mass", "volume") else "list"
    return link


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
            if measurement.second:
                value, start = measurement.second
                yield QuantityMatch(
                    quantity=Quantity((value,), measurement.unit), start=start, end=measurement.end, ocr_corrected=True
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


def _compound(gap: str, a: Measurement, b: Measurement) -> QuantityMatch | None:
    """Two amounts as one quantity in the smaller unit: feet and inches, pounds and ounces, kilograms and grams."""
    if a.unit is None or a.value % 1:
        return None
    if a.multiple > 1 and a.multiple != b.multiple and a.unit == b.unit:  # stones and pounds
        small, ratio = a.unit, Fraction(a.multiple)
    elif small := COMPOUNDS.get(a.unit, ""):
        ratio = UNITS[a.unit].factor / UNITS[small].factor
    else:
        return None
    # The inch mark may be missing, as in 5'2.
    if b.unit != small and not (a.unit == "foot" and b.unit is None and b.left == a.right):
        return None
    joint = METRIC_JOINT if is_metric(a.unit) else JOINT
    if b.value >= ratio or not joint.fullmatch(gap):
        return None
    whole = a.value if small == a.unit else a.value * int(ratio)
    return QuantityMatch(
        quantity=Quantity((whole + b.value,), small), start=a.start, end=b.end, axis=a.axis or b.axis, compound=True
    )
