"""Tables of users: CSV files, as spreadsheets, data bases and scripts write them.

Nothing is lost without a word: a row that cannot be read as it was meant is refused with its line and column.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import IO, Literal, Protocol

from resformer.model.files.quote_faults import last_open_quote, row_in_cell
from resformer.model.files.whole_file import UnusableFile

__all__ = ["Row", "TableFile", "header_positions", "read_header", "read_table"]

DELIMITERS = ",;\t|"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
MARK = "\ufeff"
GZIP_MARK = b"\x1f\x8b"
WORKBOOK_MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
QUOTED = re.compile(r'"[^"]*"')
PARQUET_MARK = b"PAR1"
MAX_NAMED_LINES = 5


class TableFile(Protocol):
    """Where a table is: a path, or what behaves like one. Its text names it in errors."""

    @property
    def suffix(self) -> str:
        """The last suffix of its name."""

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """The bytes, from the beginning."""


class Row(dict[str, str]):
    """The cells of a row, by column.

    Attributes:
        table: the file.
        line: of the file, from 1; the first one where the row has several.
    """

    def __init__(self, cells: dict[str, str], table: TableFile, line: int):
        super().__init__(cells)
        self.table, self.line = table, line

    def where(self, column: str = "") -> str:
        """File, line and column, as errors name them."""
        return _where(self.table, self.line, column)


def read_header(path: TableFile, *, tabs: bool = False) -> list[str]:
    """The names of the columns of a table, see read_table.

    Raises:
        UnusableFile: The file cannot be read or is no table.
    """
    with _opened(path, tabs) as table:
        return table.columns


def read_table(
    path: TableFile, *columns: str, needs_rows: bool = False, may_end_early: bool = False, tabs: bool = False
) -> Iterator[Row]:
    """The rows of a CSV file, one at a time; lines without any text are skipped.

    A first column without a name is the index, as pandas writes it; others are called `column 3`. Spaces around names
    of columns do not count.

    Args:
        path: UTF-8 or UTF-16, with or without a byte order mark; may be gzipped. Cells are separated by
            commas, semicolons, tabs or bars: by the most frequent of these in the header, or by what Excel's first
            line `sep=;` names.
        columns: Those that must be there. `a|b` means that either will do.
        needs_rows: Whether a table without rows is refused.
        may_end_early: Whether a row may lack cells of `columns`, which are empty then as those of other columns are.
        tabs: Whether tabs separate the cells, however many other separators the header has; without a tab there they
            do not.

    Raises:
        UnusableFile: The file cannot be read, is no CSV in these encodings, has not these columns, has a column twice,
            or a row that cannot be read as it was meant: a quote that is not closed, too many or too few cells.
    """
    with _opened(path, tabs) as table:
        needed = max(header_positions(path, table.columns, columns), default=-1) + 1
        empty = True
        for line, cells in table:
            if len(cells) > len(table.columns):
                raise UnusableFile(_too_many_cells(table, line, cells))
            if len(cells) < needed and not may_end_early:
                raise UnusableFile(
                    f"{_where(path, line, table.columns[len(cells)])}: the row ends before this column; quote cells "
                    "that hold a line break, and write every cell, also where it is empty"
                )
            empty = False
            cells += [""] * (len(table.columns) - len(cells))
            yield Row(dict(zip(table.columns, cells, strict=True)), path, line)
        if empty and needs_rows:
            raise UnusableFile(f"{path} has no rows; it needs at least one below its header")


class _Table:
    """An open table: its columns, and its rows with the number of their first line."""

    def __init__(self, path: TableFile, file: io.TextIOBase, tabs: bool):
        self.path = path
        self._record: list[str] = []
        self._line = 0
        lines = self._numbered(file)
        first = next((line for line in lines if line.strip()), "")
        if marked := (first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == 5):
            self.delimiter = first[4]
            first = next(lines, "")
        bare = QUOTED.sub("", first)
        if not marked:
            self.delimiter = "\t" if tabs and "\t" in bare else max(DELIMITERS, key=bare.count)
        spaced = all(name[:1] == " " for name in bare.split(self.delimiter)[1:]) and self.delimiter in bare
        self._rows = csv.reader(chain([first], lines), delimiter=self.delimiter, strict=True, skipinitialspace=spaced)
        self._header: list[str] = []
        self.columns: list[str] = []
        self._header = next(self._records(first), (0, []))[1]
        self.columns = self._names(self._header)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self._records()

    def _numbered(self, file: io.TextIOBase) -> Iterator[str]:
        for line in file:
            self._line += 1
            self._record.append(line)
            if "\0" in line:
                before = line.partition("\0")[0][-20:]
                raise UnusableFile(
                    f"{_where(self.path, self._line)}: a NUL byte behind {before!r}; save the file again"
                )
            yield line

    def _records(self, first: str = "") -> Iterator[tuple[int, list[str]]]:
        self._record[:] = [first] if first else []
        while True:
            start = self._line - len(self._record) + 1
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise UnusableFile(self._fault(start, error)) from error
            if len(self._record) > 1:
                self._refuse_swallowed_rows(start, cells)
            self._record.clear()
            if not any(map(str.strip, cells)):
                continue
            if [cell.lstrip(MARK) for cell in cells] == self._header:
                raise UnusableFile(f"{_where(self.path, start)}: the header again; leave it out, its file may be two")
            yield start, cells

    def _names(self, header: Sequence[str]) -> list[str]:
        names = [name.strip() or f"column {i}" for i, name in enumerate(header, 1)]
        if not names:
            raise UnusableFile(f"{self.path} is empty; it needs a line with the names of its columns, and rows")
        if not header[0].strip() and "index" not in names:  # as pandas writes its index
            names[0] = "index"
        for i, name in enumerate(names):
            if name in names[:i]:
                raise UnusableFile(
                    f"{_where(self.path, self._line, name)}: two columns have this name, number "
                    f"{names.index(name) + 1} and {i + 1}; rename or delete one"
                )
        return names

    def _fault(self, start: int, error: Exception) -> str:
        record = "".join(self._record)
        quote = last_open_quote(record, self.delimiter)
        name = self._name(quote.column)
        where = _where(self.path, start + quote.line, name)
        if "expected after" in str(error):
            return f'{where}: a quote closes before the cell ends; write "" for a quote inside a quoted cell'
        if "field larger" in str(error):
            return f"{where}: more than {csv.field_size_limit()} characters; see that quotes before them are closed"
        if '"' in record:
            return f'{where}: a quote opens here and is not closed; close it, or write """ where it is text'
        return f"{where}: {error}"

    def _refuse_swallowed_rows(self, start: int, cells: Sequence[str]) -> None:
        if quote := row_in_cell(cells, self.delimiter):
            raise UnusableFile(
                f"{_where(self.path, start + quote.line, self._name(quote.column))}: a quote opens here, and what it "
                'takes in looks like the next row; close it, or write """ where it is text'
            )

    def _name(self, column: int) -> str:
        return self.columns[column] if column < len(self.columns) else str(column + 1)


@contextmanager
def _opened(path: TableFile, tabs: bool) -> Iterator[_Table]:
    try:
        with path.open("rb") as raw:
            yield _Table(path, _text(path, raw), tabs)
    except UnicodeError as error:
        raise UnusableFile(_undecodable(path, error)) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UnusableFile(f"{path} is not a CSV file: {error}") from error
    except OSError as error:
        raise UnusableFile(f"cannot read {path}: {error.strerror}") from error


def _text(path: TableFile, raw: IO[bytes]) -> io.TextIOWrapper:
    data = _unzipped(path, raw)
    head = data.peek(4)[:4]
    if head in WORKBOOK_MARKS:
        raise UnusableFile(f'{path} is a workbook and not a CSV file; save it as CSV, in Excel as "CSV UTF-8"')
    if head == PARQUET_MARK:
        raise UnusableFile(
            f"{path} is a Parquet file and not a CSV file; name it .parquet where tables of that are read"
        )
    return io.TextIOWrapper(data, encoding=_encoding(head), newline="")


def _encoding(head: bytes) -> str:
    if head[:2] in UTF_16_MARKS:
        return "utf-16"
    # Without a mark, the zeros beside the letters of the first name tell.
    return {(False, True): "utf-16-le", (True, False): "utf-16-be"}.get(
        (head[:1] == b"\0", head[1:2] == b"\0"), "utf-8-sig"
    )


def _unzipped(path: TableFile, raw: IO[bytes]) -> io.BufferedReader:
    assert isinstance(raw, io.BufferedReader)
    if path.suffix == ".gz" or raw.peek(2)[:2] == GZIP_MARK:
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    return raw


def _undecodable(path: TableFile, error: UnicodeError) -> str:
    advice = 'save it again as UTF-8, in Excel as "CSV UTF-8"'
    with path.open("rb") as raw:
        for number, line in enumerate(_unzipped(path, raw), 1):
            try:
                line.decode()
            except UnicodeDecodeError as fault:
                if "utf-16" not in str(error).lower():
                    before = line[: fault.start].decode()[-20:]
                    return f"{path} is not UTF-8, in line {number} behind {before!r}; {advice}"
    return f"{path} is not UTF-16 ({error}); {advice}"


def header_positions(table: TableFile, header: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Where a header has these columns.

    Args:
        table: For the error.
        columns: `a|b` means that either will do; the first position counts.

    Raises:
        UnusableFile: One is not there.
    """
    if missing := [column for column in columns if not set(column.split("|")) & set(header)]:
        raise UnusableFile(
            f"{table} has no column {', '.join(missing).replace('|', ' or ')}; its columns are {', '.join(header)}"
        )
    return [min(header.index(name) for name in column.split("|") if name in header) for column in columns]


def _too_many_cells(table: _Table, line: int, cells: Sequence[str]) -> str:
    others = []
    with suppress(UnusableFile, UnicodeError):  # this row is what is wrong first
        for number, other in table:
            if len(other) > len(table.columns):
                others.append(number)
    named = ", ".join(map(str, others[:MAX_NAMED_LINES]))
    more = f" and {len(others) - MAX_NAMED_LINES} more" if len(others) > MAX_NAMED_LINES else ""
    extra = cells[len(table.columns)]
    return (
        f"{_where(table.path, line)}: {len(cells)} cells for {len(table.columns)} columns, {extra!r} stands behind the "
        f"last one, {table.columns[-1]}; quote cells that hold {table.delimiter!r}"
        + (f" (also in line {named}{more})" if others else "")
    )


def _where(path: TableFile, line: int, column: str = "") -> str:
    return f"{path}, line {line}" + (f", column {column}" if column else "")
