"""Writes tables of any format, batch by batch."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from resformer.scripts.lib.locations import Location, written_at
from resformer.scripts.lib.table_formats.cell_values import json_values, texts
from resformer.scripts.lib.table_formats.format_names import TableFormat

__all__ = ["written_table"]

GROUP_ROWS = 1 << 16  # of a row group
GROUP_BYTES = 1 << 26

Write = Callable[[pa.RecordBatch], None]


@contextmanager
def written_table(place: Location, table_format: TableFormat, schema: pa.Schema) -> Iterator[Write]:
    """A table that appears at a place when all is written; see written_at.

    Args:
        place: Where it is to be; a text format is gzipped where the name ends in `.gz`.
        table_format: How it is written.
        schema: Of the batches.

    Yields:
        What writes a batch.
    """
    with written_at(place, "wb") as file:
        if table_format is TableFormat.PARQUET:
            with _parquet(file, schema) as write:
                yield write
            return
        # Without name and time the same table has the same bytes.
        zipped = gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) if place.suffix == ".gz" else None
        with zipped or nullcontext(file) as binary:
            text = io.TextIOWrapper(binary, encoding="utf-8", newline="")
            if table_format is TableFormat.JSONL:
                yield _json_lines(text)
            else:
                yield _delimited(text, schema, "\t" if table_format is TableFormat.TSV else ",")
            text.flush()
            text.detach()


def _delimited(file: IO[str], schema: pa.Schema, delimiter: str) -> Write:
    writer = csv.writer(file, lineterminator="\n", delimiter=delimiter)
    writer.writerow(schema.names)

    def write(batch: pa.RecordBatch) -> None:
        writer.writerows(zip(*map(texts, batch.columns), strict=True))

    return write


def _json_lines(file: IO[str]) -> Write:
    def write(batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        for values in zip(*map(json_values, batch.columns), strict=True):
            file.write(json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False) + "\n")

    return write


@contextmanager
def _parquet(file: IO[bytes], schema: pa.Schema) -> Iterator[Write]:
    pending: list[pa.RecordBatch] = []
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:

        def write(batch: pa.RecordBatch) -> None:
            pending.append(batch)
            if sum(len(each) for each in pending) >= GROUP_ROWS or sum(each.nbytes for each in pending) >= GROUP_BYTES:
                flush()

        def flush() -> None:
            if pending:
                writer.write_table(pa.Table.from_batches(pending, schema))
            pending.clear()

        yield write
        flush()
