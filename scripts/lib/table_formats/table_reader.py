"""Tables of every format, read row by row as text, and column by column with their types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from resformer.scripts.lib.locations import Location

__all__ = ["BATCH_ROWS", "TableReader", "TableRow", "batch_of"]

BATCH_ROWS = 4096
"""Rows that are read or written at once, at most."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    Attributes:
        cells: Texts by column; empty ones where the row has no value.
        place: Where it is in the table, such as `line 7`.
        fault: Why the row cannot be read; "" where it can.
        photo: The bytes in the table's photo column; None where it has none.
    """

    cells: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    fault: str = ""
    photo: bytes | None = None


def batch_of(columns: Sequence[pa.Array], schema: pa.Schema, count: int) -> pa.RecordBatch:
    """A batch of `count` rows, also where it has no columns."""
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class TableReader(Protocol):
    """A table that can be read several times, in constant memory.

    Attributes:
        place: The file.
        columns: The names of the columns.
        photo_column: The column that holds the bytes of photos, or None.
    """

    place: Location
    columns: Sequence[str]
    photo_column: str | None

    def rows(
        self, needed: Sequence[str], also: Sequence[str] = (), *, may_end_early: bool = False
    ) -> Iterator[TableRow]:
        """The rows in their order; one that cannot be read alone has a fault.

        Args:
            needed: Columns that must be there; `a|b` means that either will do.
            also: Columns that are read where they are there.
            may_end_early: As that of read_table.

        Raises:
            UnusableFile: The table cannot be read, or a needed column is not there.
        """

    def schema(self, names: Sequence[str]) -> pa.Schema:
        """The types of columns."""

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """These columns of the same rows, which are null where a row has a fault.

        Raises:
            UnusableFile: The table cannot be read.
        """
