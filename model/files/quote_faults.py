"""Quotes that nobody closed: where one opens, and rows that a quoted cell took in."""

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["OpenQuote", "last_open_quote", "row_in_cell"]

LINE_END = re.compile(r"\r\n|\r|\n")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
AMOUNT = re.compile(r"\d+(?:\.\d+)? \S+", re.ASCII)
FILE = re.compile(r"\S(?:.*\S)?\.[A-Za-z]{3,4}", re.ASCII)
# What two cells of a column have in common if one stands in a row and the other in what may be a row.
SAME_KIND, SAME_TEXT, NEXT_NUMBER, ENOUGH = {"number": 1, "amount": 1, "file": 2, "text": 0}, 1, 1, 2


class OpenQuote(NamedTuple):
    """A quote that opens a cell: the cell's position in its row, and the line of the row, both from 0."""

    column: int
    line: int


def last_open_quote(record: str, delimiter: str) -> OpenQuote:
    """The quote at which a row cannot be read: it is not closed, or not at the end of its cell.

    Args:
        record: the lines of the row.
    """
    column = line = i = 0
    while i < len(record):
        if record[i] == '"':
            opened = OpenQuote(column, line)
            end = _closing(record, i + 1)
            if end is None or record[end + 1 : end + 2] not in (delimiter, "\r", "\n", ""):
                return opened
            line += len(LINE_END.findall(record, i, end))
            i = end + 1
        while i < len(record) and record[i] != delimiter:
            i += 1
        i += 1
        column += 1
    return OpenQuote(max(0, column - 1), line)


def _closing(record: str, start: int) -> int | None:
    i = start
    while (i := record.find('"', i)) >= 0:
        if record[i + 1 : i + 2] != '"':
            return i
        i += 2
    return None


def row_in_cell(cells: Sequence[str], delimiter: str) -> OpenQuote | None:
    """The cell that holds rows which its quote swallowed; None where no line of a cell looks like one.

    A line inside a cell looks like a row where it has as many cells, and those in the other columns are like the
    row's own: file names or links again, the number that follows, the same words.
    """
    for column, cell in enumerate(cells):
        pieces = LINE_END.split(cell)
        if len(pieces) == 1:
            continue
        before, behind = list(cells[:column]), list(cells[column + 1 :])
        for step, piece in enumerate(pieces):
            found = next(csv.reader([piece], delimiter=delimiter), [])
            # The first piece is the end of the row that opens the quote, the last one the beginning of another row.
            ours, theirs = before + behind, found[:column] + found[column + 1 :]
            count = len(cells)
            if step == 0:
                ours, theirs, count = behind, found[1:], 1 + len(behind)
            elif step == len(pieces) - 1:
                ours, theirs, count = before, found[:column], 1 + len(before)
            if len(found) == count and _alike(ours, theirs, step):
                return OpenQuote(column, sum(len(LINE_END.findall(c)) for c in before))
    return None


def _alike(ours: Sequence[str], theirs: Sequence[str], step: int) -> bool:
    evidence = 0
    for our, their in zip(map(str.strip, ours), map(str.strip, theirs), strict=True):
        if not our or not their:
            continue
        if (kind := _kind(our)) != _kind(their):
            return False
        evidence += SAME_KIND[kind]
        evidence += SAME_TEXT * (our == their)
        evidence += NEXT_NUMBER * (kind == "number" and float(their) - float(our) == step)
    return evidence >= ENOUGH


def _kind(cell: str) -> str:
    if NUMBER.fullmatch(cell):
        return "number"
    if "://" in cell or FILE.fullmatch(cell):
        return "file"
    return "amount" if AMOUNT.fullmatch(cell) else "text"
