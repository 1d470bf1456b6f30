"""The parser of quantities.

An input is UTF-8: a character that chooses the units, the caller's text to the end of the line, and a photo's lines.
"""

from collections.abc import Iterator, Sequence

from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import MAX_CANDIDATES, find_candidates, group_equal_amounts
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Candidate, QuantityMatch
from resformer.model.quantities.units import UNITS
from resformer.model.schema.schema import Schema
from resformer.scripts.fuzz.target import Target
from resformer.scripts.hostile.texts import TITLES

__all__ = ["TARGET"]

MAX_BYTES = 10_000
LINE_HEIGHT, CHARACTER_WIDTH = 20.0, 10.0
QUANTITIES = [entity.units for entity in Schema.load().entities if entity.units]
FAMILIES = list(dict.fromkeys(QUANTITIES))


def check(data: bytes) -> None:
    """Finds the quantities of a text and of lines.

    Raises:
        AssertionError: What is found is no valid quantity of the text, or its canonical form is read as another.
    """
    text = data.decode(errors="replace")
    units = FAMILIES[ord(text[0]) % len(FAMILIES)] if text else FAMILIES[0]
    title, *lines = text[1:].split("\n")
    parsed = parse_quantity(title, units)
    assert parsed is None or parsed.unit in units
    of_photo = [_line(line, i) for i, line in enumerate(lines)]
    candidates = find_candidates(of_photo, units, title)
    assert len(candidates) <= MAX_CANDIDATES
    for candidate in candidates:
        _check_match(candidate, lines[candidate.line] if candidate.line >= 0 else title, units)
        _check_box(candidate, of_photo)
    assert len({(c.line, c.start, c.end, c.quantity) for c in candidates}) == len(candidates)
    assert len(group_equal_amounts(candidates)) == len(candidates)


def _check_match(match: QuantityMatch, text: str, units: Sequence[str]) -> None:
    assert 0 <= match.start < match.end <= len(text), (match, text)
    assert match.quantity.unit in units
    assert 0 <= match.chain_index < match.chain_length
    # The constructor of a quantity has checked its values; they also have to be numbers of JSON.
    assert all(0 < value < float("inf") for value in match.quantity.si_values), match.quantity
    assert parse_quantity(str(match.quantity), units) == match.quantity, match.quantity


def _check_box(candidate: Candidate, lines: Sequence[TextLine]) -> None:
    assert (candidate.box is None) == (candidate.line == -1)
    if candidate.box is not None:
        x0, y0, x1, y1 = candidate.box
        assert x0 <= x1 and y0 <= y1, candidate
        assert candidate.text_height > 0 and candidate.line < len(lines)


def _line(text: str, index: int) -> TextLine:
    """A line of print below those before it."""
    right, top = CHARACTER_WIDTH * max(1, len(text)), 1.5 * LINE_HEIGHT * index
    bottom = top + LINE_HEIGHT
    return TextLine(((0.0, top), (right, top), (right, bottom), (0.0, bottom)), text, 0.9)


def seeds() -> Iterator[bytes]:
    """Texts and lines as products have them, in all units, and the hostile titles."""
    for i in range(len(FAMILIES)):
        for text in (
            "Oats 500 g, 1.5 kg\nNet Wt\n12 oz (340 g)\n6 x 330 ml",
            "Size (W x D x H)\n60 x 45 x 90 cm\n5' 2\"\n10 1/2 in\n300 ±5 mm\nUnit: mm\n120",
            "100-240 V ~ 50/60 Hz\n2200\nВт 1,5 kW\nO.5 kg 1SBZ lb\n2 st 4 lb",
            "999999999 kg 5 g, 999999 x 999999 g, 1,234,567,890 g, 0.00000000001 kg",
            "1.234,5 g 1'200 g ½ lb 3³/8 in ٥٠٠ جم 500公克 3 pz da 330 ml",
        ):
            yield f"{i}{text}".encode()
        for text in TITLES.values():
            yield f"{i}{(text * 100)[:200]}\n{(text * 100)[:200]}".encode()


def _words() -> list[bytes]:
    aliases = [alias for unit in UNITS.values() for alias in (*unit.aliases, *unit.multiples, *unit.ocr_confusions)]
    links = (
        " x ",
        "-",
        "to",
        "/",
        "±",
        " +/- ",
        "(W x D x H)",
        "pcs",
        "of",
        "½",
        "⅜",
        "³/8",
        "1,234.5",
        "1.000",
        "0225",
    )
    return sorted({word.encode() for word in (*aliases, *links)})


TARGET = Target(check, seeds, _words(), MAX_BYTES, ("resformer.model.quantities", "resformer.model.ocr"))
