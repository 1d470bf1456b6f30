"""Parsing takes time in proportion to the text, of which so many numbers are parsed."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import MAX_CANDIDATES, find_candidates
from resformer.model.quantities.number_limits import MAX_NUMBERS, first_numbers, parsed_lines
from resformer.model.quantities.parser import find_quantities

MASSES = ("gram", "kilogram", "milligram", "ounce", "pound")
LENGTHS = ("centimetre", "millimetre", "metre", "inch", "foot")
VOLUMES = ("millilitre", "litre", "fluid ounce")


def line(text: str, y: float, height: float) -> TextLine:
    return TextLine(((0.0, y), (90.0, y), (90.0, y + height), (0.0, y + height)), text, 1.0)


def test_the_first_numbers_are_parsed() -> None:
    assert first_numbers("5 g and 6½ kg") == "5 g and 6½ kg"
    assert first_numbers("7 g " * MAX_NUMBERS) == "7 g " * MAX_NUMBERS
    assert first_numbers("7 g " * (MAX_NUMBERS + 1)) == "7 g " * MAX_NUMBERS
    assert first_numbers("½" * 10_000) == "½" * MAX_NUMBERS
    assert first_numbers("1" * 10_000) == "1" * 10_000
    assert first_numbers("₇ g " * (MAX_NUMBERS + 1)) == "₇ g " * MAX_NUMBERS


def test_of_the_lines_those_of_the_largest_text_are_parsed() -> None:
    lines = [line("1 2 3 4 5", 30.0 * i, 10.0) for i in range(200)]
    lines += [line("no number", 7000.0, 25.0), line("6 g", 7100.0, 25.0)]
    parsed = parsed_lines(lines)
    assert parsed == [*range((MAX_NUMBERS - 1) // 5), 201]
    assert parsed_lines([line("5 g", 0, 10), line("g", 20, 10), line("H₂", 40, 10)]) == [0, 2]


def test_of_many_quantities_the_first_of_the_text_are_candidates() -> None:
    text = " ".join(f"{n} g" for n in range(1, 200))
    found = find_candidates([line("999 g", 0, 50)], MASSES, text)
    assert [int(c.quantity.values[0]) for c in found] == list(range(1, MAX_CANDIDATES + 1))


def test_a_number_of_thousands_of_digits_is_none() -> None:
    assert find_quantities("1" + ",111" * 2300 + " kg", MASSES) == []
    assert find_candidates([], MASSES, "1 kg and 1" + " 111" * 2300 + " kg")


def test_lines_beyond_the_limits_take_bounded_work() -> None:
    lines = [line("6 x 330 ml 12 -", 20.0 * (i % 40), 15.0 + i % 3) for i in range(256)]
    lines += [line("W", 20.0 * i, 15.0) for i in range(40)]
    assert len(find_candidates(lines, VOLUMES, "6 x 330 ml " * 400)) == MAX_CANDIDATES


@pytest.mark.parametrize(
    ("repeated", "units"),
    [
        ("½", MASSES),
        ("909/3.18 oz ", MASSES),
        ("6 x 330 ml ", VOLUMES),
        ("10 x 20 x 30 cm ", LENGTHS),
        ("W10 H20 ", LENGTHS),
        ("5-", MASSES),
        ("1,000,", MASSES),
        ("1SBZ kg ", MASSES),
        ("300±5 mm ", LENGTHS),
        ("5\0", MASSES),
    ],
)
def test_parsing_takes_time_in_proportion_to_the_text(repeated: str, units: tuple[str, ...]) -> None:
    text = (repeated * 3000)[:3000]
    assert growth(lambda n: find_quantities(text[: n * 1500], units)) < 2.6


@pytest.mark.parametrize("between", [" ", "-", "- ", "(", "\0"])
def test_so_does_what_stands_between_two_numbers(between: str) -> None:
    gap = (between * 60_000)[:60_000]
    assert growth(lambda n: find_quantities(f"5{gap[: n * 30_000]}g 6 g", MASSES)) < 2.6


def growth(parse: Callable[[int], object]) -> float:
    """How many times the processor time of one unit of text two of them take, at best."""

    def seconds(n: int) -> float:
        start = time.thread_time()
        parse(n)
        return time.thread_time() - start

    parse(1)
    return float(np.min([seconds(2) for _ in range(5)]) / np.min([seconds(1) for _ in range(5)]))
