"""CSV and TSV files as tables; every column is text."""

from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from resformer.model.files.tables import read_header, read_table
from resformer.scripts.lib.locations import Location
from resformer.scripts.lib.table_formats.table_reader import BATCH_ROWS, TableRow, batch_of

__all__ = ["DelimitedTable"]


class DelimitedTable:
    """A file that read_table reads; see TableReader.

    Args:
        place: The file.
        tabs: As that of read_table.
    """

    photo_column: str | None = None

    def __init__(self, place: Location, *, tabs: bool = False):
        self.place, self._tabs = place, tabs
        self.columns: Sequence[str] = read_header(place, tabs=tabs)

    def rows(
        self, needed: Sequence[str], also: Sequence[str] = (), *, may_end_early: bool = False
    ) -> Iterator[TableRow]:
        """See TableReader. A row that cannot be read shifts those behind it, so it is an UnusableFile here."""
        for row in read_table(self.place, *needed, may_end_early=may_end_early, tabs=self._tabs):
            yield TableRow(row, f"line {row.line}")

    def schema(self, names: Sequence[str]) -> pa.Schema:
        """See TableReader."""
        return pa.schema([(name, pa.string()) for name in names])

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """See TableReader."""
        schema = self.schema(names)
        rows = read_table(self.place, tabs=self._tabs)
        while chunk := list(islice(rows, BATCH_ROWS)):
            columns = [pa.array([row[name] for row in chunk], pa.string()) for name in names]
            yield batch_of(columns, schema, len(chunk))
