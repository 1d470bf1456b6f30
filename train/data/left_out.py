"""Rows of a table that are left out, counted for the log."""

from collections.abc import Callable
from pathlib import Path

__all__ = ["LeftOut", "Log"]

Log = Callable[[str], None]


class LeftOut:
    """Counts rows that are left out, for one line of a log.

    Args:
        table: the file.
        what: what is wrong with them.
        log: gets the line.
    """

    def __init__(self, table: Path, what: str, log: Log):
        self._table, self._what, self._log = table, what, log
        self._count = 0
        self._first = ""

    def add(self, line: int, cell: str) -> None:
        """Counts the row of a line with a cell that shows why."""
        self._first = self._first or f"{cell!r} in line {line}"
        self._count += 1

    def report(self) -> None:
        """Logs the count where there is one."""
        if self._count:
            self._log(f"{self._table}: {self._count} {self._what}, {self._first} first")
