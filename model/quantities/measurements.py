"""The numbers of a line of text, each with what stands directly beside it: its unit, and the axis of a length.

What links one number to the next (`x`, `-`, `/`) is parsed in `parser`, from the text between two measurements.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.numbers import CONFUSED_NUMBER, LOST_POINT, NUMBER, parse_number, second_reading
from resformer.model.quantities.units import UNITS

__all__ = ["AXES", "AXIS_WORDS", "LEFT_OUT", "Measurement", "find_measurements", "leading_unit"]

AXIS_WORDS: dict[str, tuple[str, ...]] = {
    "l": (
        *("l", "long", "length", "lg", "länge", "lang", "longueur", "largo", "longitud", "lunghezza", "lung"),
        *("comprimento", "comp", "lengte", "długość", "dł", "длина", "дл"),
    ),
    "w": (
        *("w", "wide", "width", "breadth", "b", "breite", "breit", "br", "largeur", "larg", "ancho", "anchura"),
        *("larghezza", "largura", "breedte", "szerokość", "szer", "ширина", "шир"),
    ),
    "h": (
        *("h", "high", "height", "tall", "höhe", "hoch", "hauteur", "haut", "alto", "altura", "altezza", "alt"),
        *("hoogte", "wysokość", "wys", "высота", "выс"),
    ),
    "d": (
        *(
            "d",
            "deep",
            "depth",
            "dia",
            "diameter",
            "ø",
            "tiefe",
            "tief",
            "durchmesser",
            "profondeur",
            "prof",
            "p",
            "diamètre",
        ),
        *("fondo", "profundidad", "diámetro", "profondità", "diametro", "profundidade", "diâmetro", "diepte"),
        *("głębokość", "głęb", "gł", "średnica", "śr", "глубина", "глуб", "диаметр"),
    ),
    "t": (
        *("t", "thick", "thickness", "dicke", "stärke", "épaisseur", "ép", "grosor", "espesor", "spessore", "sp"),
        *("espessura", "dikte", "grubość", "gr", "толщина"),
    ),
}
"""Letters and words for the axis along which a length is measured, by the axis."""


def _as_read(word: str) -> set[str]:
    """A word, and what the built-in recognizer makes of it: it knows no accents, and reads ł as l or t."""
    decomposed = unicodedata.normalize("NFD", word)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return {word, plain.replace("ł", "l"), plain.replace("ł", "t")}


AXES = {variant: axis for axis, words in AXIS_WORDS.items() for word in words for variant in _as_read(word)}
"""The axis of each letter and word, with and without its accents."""

# Where a unit's letters may end: not inside another word (4000mAh), not at an area, a density or a rate (2 cm², 5 g/kg,
# 5 g/100 ml, 5 l/min) except in `area_density_aliases`. OCR often loses the space after a unit (500gNet, 20Vmax,
# 500gx2), but 8Gx2 is memory.
WORD_END = r"""
    (?: (?![A-Za-z]) | (?=[A-Z][a-z]{2}) | (?=(?i:net|nett|wt|e|max|approx)(?![A-Za-z]))
        | (?<!\dG)(?<!\d\sG)(?=[xX]\s?\d) )
    (?! \s?/\s?(?:m|cm|kg|h|hr|min|s|sec)(?![A-Za-z]) | (?<=[\d\sm][gG])\s?/\s?100(?!\d) | [²³] )
"""
# The same for a length. Its axis or that of the next length may follow without a space (10cmW20cm), but not after a
# lone m: 20mL, 5mW and 3mH have other units. An area (2 cm2) is no length.
LENGTH_END = rf"""
    (?: {WORD_END} | (?<![\d\s.]m)(?=[xX]?\s?[LWHDlwhd](?![A-Za-z])) ) (?! [~^*]?[23](?!\d) )
"""
# The same for the weight of an area of cloth, which a word often follows without a space (160GSMJACQUARD).
AREA_END = r"(?:(?![a-z])|(?=[a-z]{4}))"
# The same for aliases with rules of their own.
ENDINGS = {
    "'": r"(?![A-Za-z])",
    # Ounces read as digits need a decimal or a space before them (1.0602, 16 02), and behind them neither the rest of
    # a date (16 02 2019) nor a unit (2.502 A); a number with a unit may follow (1.0602/30g).
    "02": r"(?:(?<=[.,]\d02)|(?<=[.,]\d\d02)|(?<=\d\s02))(?!\d|\s?[A-Za-z]{1,2}(?![A-Za-z]))"
    r"(?!\s?[/:.,-]?\s?\d{1,9}(?!\d|[.,]\d|\s?[A-Za-z]))",
    # OCR loses the l of "lb"; behind a 1 it read the l as that 1.
    "b": r"(?<!1[bB])(?:(?=\s?\))|(?<=[.,]\d[bB])|(?<=[.,]\d\s[bB]))(?![A-Za-z])",
    # A film is thinner than a hundred; 354mil is misread.
    "mil": rf"(?<!\d\d\dmil)(?<!\d\d\d\smil){WORD_END}",
    # "1st" is no weight; "2 st 4 lb" is.
    "st": r"(?=\.?,?\s?(?:&\s?|and\s)?\d{1,2}(?:[.,]\d)?\s?(?:lbs?|pounds?)(?![A-Za-z]))",
    # "3 in 1" and "5 in a box" are no lengths.
    "in": rf"(?!\s?-?\s?1(?!\d)|\s(?:a|an|the|one|each|all|our|your|box|total|this|use)\b){LENGTH_END}",
}
# Scripts that write words without spaces, by the names of their characters.
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "SQUARE", "SCRIPT")
LEFT_OUT = "\0"
"""Stands in a text for a character that is no part of its measurements."""

# What may stand between a number and its unit.
BEFORE_UNIT = rf"{LEFT_OUT}*\s{{0,2}}(?:[-(]\s?|\.)?"


@dataclass(frozen=True)
class Measurement:
    """A number in a text, with or without a unit.

    Attributes:
        value: the number.
        unit: canonical name of its unit; None for a bare number.
        start, end: its span in the text, with the unit.
        left, right: its span in the text, with the unit and the axis.
        axis: one of the keys of AXIS_WORDS, or "".
        ocr_corrected: whether an OCR confusion in the number or unit was corrected.
        per_area: whether it is the weight of an area of cloth or paper.
        multiple: how many of its unit the unit that is written has: 100 where a hectolitre is given in litres.
        second: what else the number may be, see second_reading; positions are in the text.
    """

    value: Decimal
    unit: str | None
    start: int
    end: int
    left: int
    right: int
    axis: str
    ocr_corrected: bool
    per_area: bool = False
    multiple: Decimal = Decimal(1)
    second: tuple[Decimal, int] | None = None


def find_measurements(text: str, units: tuple[str, ...]) -> list[Measurement]:
    """All positive numbers of a text, in reading order.

    Args:
        text: folded by CHARACTER_FOLD.
        units: canonical unit names of one dimension.
    """
    if not any(c.isnumeric() for c in text):
        return []
    patterns = _patterns(units)
    clean = [m for match in patterns.clean.finditer(text) if (m := patterns.parse(match, ocr_corrected=False))]
    corrected = [m for match in patterns.confused.finditer(text) if (m := patterns.parse(match, ocr_corrected=True))]
    # A corrected measurement counts where the clean pattern found no unit, or only the end of the number (O.5 kg).
    # The l of W10 x l20 cm is an axis.
    covered = _covered(m for m in clean if m.unit)
    covered |= {m.left for m in clean if m.unit and m.axis and text[: m.left].rstrip().endswith(("x", "X"))}
    corrected = [m for m in corrected if m.start not in covered]
    covered = _covered(corrected)
    clean = [m for m in clean if covered.isdisjoint(range(m.start, m.end))]
    return sorted(clean + corrected, key=lambda m: m.start)


def _covered(measurements: Iterable[Measurement]) -> set[int]:
    """The positions in the text that measurements take up."""
    return {position for m in measurements for position in range(m.start, m.end)}


def leading_unit(text: str, units: tuple[str, ...]) -> str | None:
    """The unit that a text folded by CHARACTER_FOLD begins with, or None."""
    patterns = _patterns(units)
    match = patterns.unit.match(text)
    return patterns.units[_normalized(match["unit"])] if match else None


def _normalized(alias: str) -> str:
    return re.sub(r"[\s.,-]", "", alias.translate(CHARACTER_FOLD)).lower()


class _Patterns:
    """The patterns of measurements in units of one dimension.

    A measurement is [axis] number [axis] [unit] [axis].

    Attributes:
        unit: a unit at the beginning of a text.
        clean: a number without OCR confusions, its unit if it has one, and the axis beside it.
        confused: a number and its unit, both with OCR confusions.
        units: the unit of each normalized alias.
        multiples: see Unit, by the normalized alias.
    """

    def __init__(self, names: tuple[str, ...]):
        units = [UNITS[name] for name in names]
        lengths = any(unit.dimension == "length" for unit in units)
        self.per_area = {_normalized(alias): u.name for u in units for alias in u.area_density_aliases}
        self.multiples = {_normalized(alias): Decimal(m) for u in units for alias, m in u.multiples.items()}
        aliases = {u.name: (*u.aliases, *u.multiples) for u in units}
        self.units = self.per_area | {_normalized(a): name for name, of_unit in aliases.items() for a in of_unit}
        confusions = {_normalized(text): u.name for u in units for text in u.ocr_confusions}
        self.confusions = {**confusions, **self.units}
        ending = LENGTH_END if lengths else WORD_END
        area = _alternatives([s for u in units for s in u.area_density_aliases], AREA_END) or "(?!)"
        unit = f"{area}|{_alternatives([s for of_unit in aliases.values() for s in of_unit], ending)}"
        misread = [s for u in units for s in (*aliases[u.name], *u.ocr_confusions)]
        confused = f"{area}|{_alternatives(misread, ending)}"
        self.axes = AXES if lengths else {}
        words = "|".join(sorted(self.axes, key=len, reverse=True)).replace("oo", "[o0][o0]") or "(?!)"
        # Not inside a word, but behind the x of a chain: L120xW60, B 90 xT 40. OCR reads ( for ), too.
        axis_before = rf"(?:(?:(?<![^\W\d_])|(?<=[\d\s][xX]))(?P<axis_before>(?i:{words}))[()]?\s?[:=.-]?\s?)?"
        # 10 L inches
        axis_between = rf"(?:\s?\(?(?P<axis_between>(?i:{words}))\)?(?=\s{{1,2}}\(?(?:{unit})))?"
        # Only where none stands before, and no colon behind: in W10 H20 and in 10 cm H: 20 cm the second number has it.
        end = r"(?:(?![A-Za-z])|(?=[xX]\s?\d))(?!\s?[:=])"
        axis_after = rf"(?(axis_before)|(?:\s?\(?(?P<axis_after>(?i:{words})){end}\)?)?)"
        self.unit = re.compile(rf"\s*\(?(?P<unit>{unit})", re.VERBOSE)
        self.clean = re.compile(
            rf"{axis_before}(?P<number>{NUMBER}){axis_between}(?:{BEFORE_UNIT}(?P<unit>{unit})\)?)?{axis_after}",
            re.VERBOSE,
        )
        self.confused = re.compile(
            rf"{axis_before}(?P<number>{CONFUSED_NUMBER})\s?(?P<unit>{confused}){axis_after}", re.VERBOSE
        )

    def parse(self, match: re.Match[str], *, ocr_corrected: bool) -> Measurement | None:
        """The measurement of a match of `clean` or, corrected, of `confused`; None where its number is zero."""
        value = parse_number(match["number"])
        if not value:
            return None
        key = _normalized(match["unit"] or "")
        unit = (self.confusions if ocr_corrected else self.units)[key] if key else None
        multiple = self.multiples.get(key, Decimal(1))
        start, end = match.start("number"), match.end("unit" if unit else "number")
        beside = match["axis_before"] or match["axis_after"] or (not ocr_corrected and match["axis_between"]) or ""
        axis = self.axes.get(beside.lower().replace("0", "o"), "")
        second = None if ocr_corrected else second_reading(match["number"])
        return Measurement(
            value * multiple,
            unit,
            start,
            end,
            match.start(),
            match.end(),
            axis,
            ocr_corrected or bool(re.fullmatch(LOST_POINT, match["number"])),
            per_area=key in self.per_area,
            multiple=multiple,
            second=second and (second[0] * multiple, start + second[1]),
        )


@lru_cache(maxsize=64)
def _patterns(units: tuple[str, ...]) -> _Patterns:
    return _Patterns(units)


def _alternatives(aliases: Iterable[str], word_end: str) -> str:
    """A pattern for any of the aliases, the longest first."""
    longest_first = sorted({s.translate(CHARACTER_FOLD) for s in aliases}, key=len, reverse=True)
    groups: dict[str, list[str]] = {}
    for alias in longest_first:
        ending = ENDINGS.get(alias, word_end if alias[-1].isascii() and alias[-1].isalnum() else _ending(alias))
        groups.setdefault(ending, []).append(alias)
    return "|".join(rf"(?i:{'|'.join(_alias_pattern(s) for s in group)}){end}" for end, group in groups.items())


def _ending(alias: str) -> str:
    """Where an alias may end that is a symbol, or a word of another alphabet."""
    is_word = alias[-1].isalpha() and not unicodedata.name(alias[-1]).startswith(UNSPACED)
    return r"(?!\w)" if is_word else ""


def _alias_pattern(alias: str) -> str:
    return r"[\s.,-]{0,2}".join(re.escape(part) for part in alias.split())
