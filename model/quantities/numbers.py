"""Numbers as products show them: decimal commas, thousands, fractions, and letters that OCR reads for digits."""

import re
from decimal import Decimal

__all__ = ["CONFUSED_NUMBER", "LOST_POINT", "NUMBER", "parse_number", "second_reading"]

VULGAR_FRACTIONS = {
    **{"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5"},
    **{"⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"},
}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
DIGIT_CONFUSIONS = str.maketrans("OoQIl|SBZ", "000111582")

# Halves, quarters and eighths; a fraction is in lowest terms, since 110/220 and 12/24 are two numbers.
BINARY_FRACTION = r"(?:1/2|[13]/4|[1357]/8)(?!\d)"
FRACTION = rf"(?:{BINARY_FRACTION}|[12]/3(?!\d)|1?[13579]/16(?!\d)|[1-6]?[13579]/(?:32|64)(?!\d))"
# OCR writes the denominator of a small fraction once more: ½2, ½/4.
VULGAR_FRACTION = f"[{''.join(VULGAR_FRACTIONS)}]" + r"(?:/?[248](?!\d)|/)?"
WITH_FRACTION = rf"(?:\d{{1,4}}(?:\s?-\s?|\s))?{BINARY_FRACTION}|(?:\d{{1,4}}\s?-?\s?)?{VULGAR_FRACTION}"
NUMBER = rf"""
    (?<!\d)(?<!\d[.,])(?:
        \d{{1,4}}(?:\s?-\s?|\s|\s?(?:&|and)\s?){FRACTION}  # 3 1/2, 3-1/2, 3 & 1/2
      | \d{{1,4}}\s?[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,2}}/[1-9]\d?    # 3³/8
      | {FRACTION}
      | \d{{1,2}}{BINARY_FRACTION}                            # 31/2, without its space
      | (?:\d{{1,4}}\s?-?\s?)?{VULGAR_FRACTION}               # ½, 3½, 3-½
      | \d{{1,3}}(?:\.\d{{3}}){{1,8}},\d{{1,2}}        # 1.234,5
      | \d{{1,3}}(?:,\d{{3}}){{1,8}}(?:\.\d{{1,20}})?  # 1,234.5
      | [1-9]\d{{0,2}}(?:[ ']\d{{3}}){{1,8}}(?:[.,]\d{{1,2}})?(?![ ']\d)  # 1 234,5, 1'234.5
      | \d{{1,9}}(?:[.,]\d{{1,20}})?
      | (?<![A-Za-z])[.,](?!\d00)\d{{1,6}}           # .5; the point of .500 is a bullet
    )(?![.,]?\d)
"""
"""A number, for a pattern compiled with re.VERBOSE."""

LOST_POINT = r"0\d{2,8}"
"""A number that OCR has lost the decimal point of."""

CONFUSED_NUMBER = rf"""
    (?<![A-Za-z\d.,/])(?:
        {WITH_FRACTION}
      | (?=[OoQIl.,]*\d)[\dOoQIl][\dOoQIl|SBZ]{{0,5}}(?:[.,][\dOoQIl|SBZ]{{1,4}})?
    )
"""
"""A number with letters that OCR reads for digits, or a fraction, before a unit that it may have misread."""


def parse_number(text: str) -> Decimal:
    """The value of a text that NUMBER or CONFUSED_NUMBER matches as a whole.

    A fraction that no decimal equals is rounded to two places, as catalogues write it. 0225 has lost its point.
    """
    if "/" in text or any(c in VULGAR_FRACTIONS for c in text):
        return _fraction(text)
    digits = re.sub("[ ']", "", text.translate(DIGIT_CONFUSIONS))
    if re.fullmatch(LOST_POINT, digits):
        return Decimal(f"0.{digits[1:]}")
    # 1,000 is a thousand; 0,500 and 1.000 and 1,0000 are decimals.
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", digits):
        return Decimal(digits.replace(",", ""))
    integer, decimals = re.fullmatch(r"(.*?)(?:[.,](\d+))?", digits).groups()  # type: ignore[union-attr]
    return Decimal(f"{re.sub('[.,]', '', integer) or 0}.{decimals or 0}")


def second_reading(text: str) -> tuple[Decimal, int] | None:
    """What else a number may be: its value, and the position in the text where that number starts; or None.

    `1.000` and `1,000` are a thousand or one; `2 500` is two thousand five hundred, or five hundred behind another
    number.
    """
    if match := re.fullmatch(r"([1-9]\d{0,2})([.,])(\d{3})", text):
        integer, separator, decimals = match.groups()
        return Decimal(integer + decimals) if separator == "." else Decimal(f"{integer}.{decimals}"), 0
    if match := re.fullmatch(r"[1-9]\d{0,2} ([1-9]\d\d(?:[.,]\d{1,2})?)", text):
        return parse_number(match[1]), match.start(1)
    return None


def _fraction(text: str) -> Decimal:
    text = re.sub(r"([½¼¾])/?([248]?)$", _denominated, text)
    spaced = "".join(f" {VULGAR_FRACTIONS[c]}" if c in VULGAR_FRACTIONS else c for c in text)
    spaced = re.sub(r"([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", r" \1", spaced).translate(SUPERSCRIPTS)
    *whole, numerator, denominator = re.findall(r"\d+", spaced)
    if not whole and int(numerator) >= int(denominator):
        whole, numerator = [numerator[:-1]], numerator[-1]
    value = int(whole[0] if whole else 0) + Decimal(int(numerator)) / int(denominator)
    exact = int(denominator) & (int(denominator) - 1) == 0
    return value if exact else round(value, 2)


def _denominated(match: re.Match[str]) -> str:
    """A vulgar fraction with the denominator that is written once more behind it."""
    fraction, denominator = match.groups()
    return f" {VULGAR_FRACTIONS[fraction][0]}/{denominator}" if denominator else fraction
