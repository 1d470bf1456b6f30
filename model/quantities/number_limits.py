"""How many numbers of a photo and of the caller's text are parsed: parsing takes time for each of them."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.character_fold import CHARACTER_FOLD
from resformer.model.quantities.numbers import VULGAR_FRACTIONS

__all__ = ["MAX_NUMBERS", "first_numbers", "parsed_lines"]

MAX_NUMBERS = 500
"""Of the caller's text, and as many of a photo's lines. One catalogue photo in a thousand has 200, and one description
in a thousand 60."""

# Of folded text, as the parser reads it. Digits that stand together are one number here; the parts of 1,234.5 count.
NUMBER = re.compile(rf"\d+|[{''.join(VULGAR_FRACTIONS)}]")


def first_numbers(text: str) -> str:
    """The text up to its first numbers, MAX_NUMBERS of them."""
    beyond = next(islice(_numbers(text), MAX_NUMBERS, None), None)
    return text[: beyond.start()] if beyond else text


def parsed_lines(lines: Sequence[TextLine]) -> list[int]:
    """The lines of a photo that have numbers, in their order: those of the largest text, up to MAX_NUMBERS in all.

    A line that alone has more is left out.
    """
    counts = {i: count for i, line in enumerate(lines) if (count := sum(1 for _ in _numbers(line.text)))}
    if sum(counts.values()) <= MAX_NUMBERS:
        return list(counts)
    kept, room = [], MAX_NUMBERS
    for i in sorted(counts, key=lambda i: -min(_sides(lines[i]))):
        if counts[i] <= room:
            kept.append(i)
            room -= counts[i]
    return sorted(kept)


def _numbers(text: str) -> Iterator[re.Match[str]]:
    return NUMBER.finditer(text.translate(CHARACTER_FOLD))


def _sides(line: TextLine) -> tuple[float, float]:
    x0, y0, x1, y1 = line.box
    return x1 - x0, y1 - y0
