"""JSON lines as tables: one object a line.

Columns are the keys of all lines. A column of texts, numbers or truth values has that type; what is nested or mixed is
kept as it is, as JSON.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any, NamedTuple

import pyarrow as pa

from resformer.model.files.tables import header_positions
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.locations import Location
from resformer.scripts.lib.table_formats.table_reader import BATCH_ROWS, TableRow, batch_of

__all__ = ["JsonLinesTable"]

MAX_LINE = 1 << 26  # bytes
MAX_INTEGER = 1 << 63
GZIP_MARK = b"\x1f\x8b"
MARK = b"\xef\xbb\xbf"
TYPES = {
    frozenset[str](): pa.string(),
    frozenset({"text"}): pa.string(),
    frozenset({"truth"}): pa.bool_(),
    frozenset({"integer"}): pa.int64(),
    frozenset({"number"}): pa.float64(),
    frozenset({"integer", "number"}): pa.float64(),
}


class _Line(NamedTuple):
    number: int
    values: Mapping[str, Any]
    fault: str


class JsonLinesTable:
    """A file of JSON lines, UTF-8, may be gzipped; see TableReader. It is read once for its columns.

    A line that is no object, and a row that has another value than a text, number or truth value where one is needed,
    is a row with a fault. Lines without text are skipped.

    Raises:
        UnusableFile: The file cannot be read, or is one array of JSON.
    """

    photo_column: str | None = None

    def __init__(self, place: Location):
        self.place = place
        kinds: dict[str, set[str]] = {}
        self._first_fault = ""
        for line in self._lines():
            if line.fault and not self._first_fault:
                self._first_fault = f"{place}, line {line.number}: {line.fault}"
            for name, value in line.values.items():
                kinds.setdefault(name, set()).update(_kind(value))
        self._types = {name: TYPES.get(frozenset(found), pa.json_(pa.string())) for name, found in kinds.items()}
        self.columns: Sequence[str] = list(kinds)
        if not kinds:
            raise UnusableFile(self._first_fault or f"{place} is empty; it needs a JSON object on each line")

    def rows(
        self, needed: Sequence[str], also: Sequence[str] = (), *, may_end_early: bool = False
    ) -> Iterator[TableRow]:
        """See TableReader; a line may lack any key."""
        header_positions(self.place, self.columns, needed)
        wanted = [name for column in (*needed, *also) for name in column.split("|") if name in self._types]
        for line in self._lines():
            cells, fault = dict.fromkeys(wanted, ""), line.fault
            for name in wanted:
                value = line.values.get(name)
                if isinstance(value, list | dict):
                    fault = fault or f"{name} is {_short(value)}; write a text or a number"
                else:
                    cells[name] = _text(value)
            place = f"line {line.number}"
            yield TableRow(cells, place, f"{self.place}, {place}: {fault}" if fault else "")

    def schema(self, names: Sequence[str]) -> pa.Schema:
        """See TableReader."""
        return pa.schema([(name, self._types[name]) for name in names])

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """See TableReader."""
        lines = self._lines()
        schema = self.schema(names)
        while chunk := list(islice(lines, BATCH_ROWS)):
            columns = [_column([line.values.get(field.name) for line in chunk], field.type) for field in schema]
            yield batch_of(columns, schema, len(chunk))

    def _lines(self) -> Iterator[_Line]:
        try:
            with self.place.open("rb") as raw:
                yield from self._parsed(_unzipped(raw))
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise UnusableFile(f"{self.place} is no file of JSON lines: {error}") from error
        except OSError as error:
            raise UnusableFile(f"cannot read {self.place}: {error.strerror}") from error

    def _parsed(self, file: IO[bytes]) -> Iterator[_Line]:
        number = 0
        seen = False
        while text := file.readline(MAX_LINE):
            number += 1
            if len(text) == MAX_LINE and not text.endswith(b"\n"):
                raise UnusableFile(
                    f"{self.place}, line {number}: longer than {MAX_LINE} bytes; write one object a line"
                )
            if number == 1:
                text = text.removeprefix(MARK)
            if not (text := text.strip()):
                continue
            if not seen and text.startswith(b"["):
                raise UnusableFile(f"{self.place} is an array of JSON; write one object a line: `jq -c '.[]'` does")
            seen = True
            yield _line(number, text)


def _unzipped(raw: IO[bytes]) -> IO[bytes]:
    head = raw.peek(2)[:2] if hasattr(raw, "peek") else b""
    return gzip.GzipFile(fileobj=raw) if head == GZIP_MARK else raw  # type: ignore[return-value]


def _line(number: int, text: bytes) -> _Line:
    try:
        values = json.loads(text.decode(), object_pairs_hook=_object)
    except UnicodeDecodeError:
        return _Line(number, {}, "not UTF-8")
    except (ValueError, RecursionError) as error:
        return _Line(number, {}, f"not JSON ({error})")
    if not isinstance(values, dict):
        return _Line(number, {}, f"{_short(values)} is no object; write names and values between braces")
    if b"\\u" in text and _has_surrogate(values):
        return _Line(number, {}, "half of a surrogate pair, which is no character")
    return _Line(number, values, "")


def _has_surrogate(values: Mapping[str, Any]) -> bool:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return values


def _kind(value: Any) -> set[str]:
    """Empty for null."""
    if value is None:
        return set()
    if isinstance(value, bool):
        return {"truth"}
    if isinstance(value, int):
        return {"integer"} if -MAX_INTEGER <= value < MAX_INTEGER else {"large"}
    return {"number"} if isinstance(value, float) else {"text"} if isinstance(value, str) else {"nested"}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not isinstance(kind, pa.JsonType):
        return pa.array(values, kind)
    written = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return pa.ExtensionArray.from_storage(kind, pa.array(written, pa.string()))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}..."
