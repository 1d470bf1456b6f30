"""Tables of every format, made for tests."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["write_lines", "write_parquet"]


def write_lines(path: Path, *lines: Mapping[str, Any] | str) -> Path:
    """JSON lines; a text is written as it is."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any] | pa.Array], **options: Any) -> Path:
    """A Parquet file of these columns."""
    pq.write_table(pa.table(dict(columns)), path, **options)
    return path
