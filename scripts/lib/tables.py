"""CSV tables of questions about photos, as the public challenge lays them out."""

import csv
from collections.abc import Iterator
from pathlib import Path

__all__ = ["UnusableFile", "read_table"]


class UnusableFile(ValueError):
    """A file cannot be used at all; the message says what to do."""


def read_table(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, one at a time; cells that are not there are empty strings.

    Args:
        path: UTF-8, with or without a byte order mark.
        columns: Those that must be there. `a|b` means that either will do.

    Raises:
        UnusableFile: The file cannot be read, has no such columns, or is not UTF-8 or no CSV further down.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            header = reader.fieldnames or []
            if missing := [c for c in columns if not set(c.split("|")) & set(header)]:
                raise UnusableFile(
                    f"{path} has no column {', '.join(missing).replace('|', ' or ')}; its columns are "
                    f"{', '.join(header) or '(none)'}"
                )
            for row in reader:
                if None in row:
                    raise UnusableFile(
                        f"{path}, line {reader.line_num}: more cells than the header has; quote cells that hold a comma"
                    )
                yield row
    except OSError as error:
        raise UnusableFile(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableFile(f"{path} is not a CSV file in UTF-8: {error}") from error
