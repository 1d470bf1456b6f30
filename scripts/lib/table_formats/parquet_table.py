"""Parquet files as tables."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from resformer.model.files.photo_names import IMAGE_COLUMNS
from resformer.model.files.tables import header_positions
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.locations import Location
from resformer.scripts.lib.table_formats.cell_values import holds_photos, photo_bytes, texts
from resformer.scripts.lib.table_formats.table_reader import BATCH_ROWS, TableRow, batch_of

__all__ = ["ParquetTable"]

BUFFER = 1 << 20  # bytes of a column that are read at once
BATCH_BYTES = 1 << 24


class ParquetTable:
    """A Parquet file; see TableReader.

    The column `image` or `image_link` may hold photos: their bytes, or structures with a field `bytes`.

    Raises:
        UnusableFile: The file cannot be read, or has a column twice.
    """

    def __init__(self, place: Location):
        self.place = place
        with self._opened() as file:
            self._schema = file.schema_arrow.remove_metadata()
        self.columns: Sequence[str] = self._schema.names
        if twice := [name for name in self.columns if self.columns.count(name) > 1]:
            raise UnusableFile(f"{place}: two columns have the name {twice[0]}; rename or delete one")
        photos = (
            name for name in IMAGE_COLUMNS if name in self.columns and holds_photos(self._schema.field(name).type)
        )
        self.photo_column: str | None = next(photos, None)

    def rows(
        self, needed: Sequence[str], also: Sequence[str] = (), *, may_end_early: bool = False
    ) -> Iterator[TableRow]:
        """See TableReader."""
        header_positions(self.place, self.columns, needed)
        asked = dict.fromkeys(name for column in (*needed, *also) for name in column.split("|") if name in self.columns)
        names = [name for name in asked if name != self.photo_column]
        self._refuse_nested(names)
        has_photos = self.photo_column in asked
        number = 0
        for batch in self.batches([*names, *([self.photo_column] if self.photo_column and has_photos else [])]):
            cells = [texts(batch.column(i)) for i in range(len(names))]
            photos = photo_bytes(batch.column(len(names))) if has_photos else [None] * batch.num_rows
            for i in range(batch.num_rows):
                number += 1
                values = {name: column[i] for name, column in zip(names, cells, strict=True)}
                yield TableRow(values, f"row {number}", photo=photos[i])

    def schema(self, names: Sequence[str]) -> pa.Schema:
        """See TableReader."""
        return pa.schema([self._schema.field(name) for name in names])

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """See TableReader."""
        with self._opened() as file:
            if not names:  # rows without columns
                rows = file.metadata.num_rows
                for start in range(0, rows, BATCH_ROWS):
                    yield batch_of([], pa.schema([]), min(BATCH_ROWS, rows - start))
                return
            size = _batch_rows(file.metadata, names)
            for batch in file.iter_batches(size, columns=list(names), use_threads=False):
                yield batch.select(list(names)).replace_schema_metadata(None)

    def _refuse_nested(self, names: Sequence[str]) -> None:
        for name in names:
            kind = self._schema.field(name).type
            if pa.types.is_nested(kind) or holds_photos(kind):
                raise UnusableFile(f"{self.place}, column {name}: its type is {kind}; write texts or numbers")

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        try:
            with self.place.open("rb") as raw:
                if not raw.seekable():
                    raise UnusableFile(f"{self.place}: the server gives no parts of files; download the file first")
                # With a buffer, a column is not held as a whole.
                yield pq.ParquetFile(raw, buffer_size=BUFFER, pre_buffer=False)
        except pa.ArrowException as error:
            raise UnusableFile(f"{self.place} is not a usable Parquet file: {_first_line(error)}") from error
        except OSError as error:
            raise UnusableFile(f"cannot read {self.place}: {error.strerror or _first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _batch_rows(metadata: pq.FileMetaData, names: Sequence[str]) -> int:
    """Rows of some BATCH_BYTES: photos are large, numbers are small."""
    total = 0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for column in range(row_group.num_columns):
            chunk = row_group.column(column)
            if any(chunk.path_in_schema == name or chunk.path_in_schema.startswith(f"{name}.") for name in names):
                total += chunk.total_uncompressed_size
    average = total / max(1, metadata.num_rows)
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(1.0, average))))
