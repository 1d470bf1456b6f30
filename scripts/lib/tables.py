"""CSV tables of questions about photos, as the public challenge lays them out."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from resformer.scripts.lib.files import UnusableFile

__all__ = ["UnusableFile", "read_header", "read_table"]

DELIMITERS = ",;\t"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_header(path: Path) -> list[str]:
    """The names of the columns of a table.

    Raises:
        UnusableFile: The file cannot be read or is no table.
    """
    try:
        with _opened(path) as file:
            return list(_reader(file).fieldnames or [])
    except (UnicodeError, csv.Error) as error:
        raise UnusableFile(_not_a_table(path, error)) from error


def read_table(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, one at a time; cells that are not there are empty strings.

    Args:
        path: UTF-8, with or without a byte order mark, or UTF-16 with one. Cells are separated by commas, semicolons
            or tabs: by the most frequent of these in the header, or by what Excel's first line `sep=;` names.
        columns: Those that must be there. `a|b` means that either will do.

    Raises:
        UnusableFile: The file cannot be read, has no such columns, or is neither of these encodings or no CSV.
    """
    line = 1
    try:
        with _opened(path) as file:
            reader = _reader(file)
            header = reader.fieldnames or []
            if missing := [c for c in columns if not set(c.split("|")) & set(header)]:
                raise UnusableFile(
                    f"{path} has no column {', '.join(missing).replace('|', ' or ')}; its columns are "
                    f"{', '.join(header) or '(none)'}"
                )
            for row in reader:
                if None in row:
                    raise UnusableFile(
                        f"{path}, line {reader.line_num}: more cells than the header has; quote cells that hold "
                        f"{reader.reader.dialect.delimiter!r}"
                    )
                yield row
                line = reader.line_num
    except UnicodeError as error:
        raise UnusableFile(_not_a_table(path, error)) from error
    except csv.Error as error:
        raise UnusableFile(f"{path}, line {line + 1}: {error}; see that its quotes are closed") from error


def _opened(path: Path) -> io.TextIOWrapper:
    try:
        with open(path, "rb") as file:
            encoding = "utf-16" if file.read(2) in UTF_16_MARKS else "utf-8-sig"
        return open(path, encoding=encoding, newline="")
    except OSError as error:
        raise UnusableFile(f"cannot read {path}: {error.strerror}") from error


def _reader(file: io.TextIOWrapper) -> "csv.DictReader[str]":
    first = file.readline()
    if first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == 5:
        delimiter = first[4]
    else:
        file.seek(0)
        delimiter = max(DELIMITERS, key=first.count)
    reader = csv.DictReader(file, restval="", delimiter=delimiter, strict=True)
    names = list(reader.fieldnames or [])
    if names and not names[0] and "index" not in names:  # as pandas writes its index
        reader.fieldnames = ["index", *names[1:]]
    return reader


def _not_a_table(path: Path, error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return f'{path} is not UTF-8 ({error}); save it again as UTF-8, in Excel as "CSV UTF-8"'
    return f"{path} is not a CSV file: {error}"
