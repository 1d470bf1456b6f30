"""Arrow columns as the cells of text formats and as the values of JSON, and the photos in them."""

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["holds_photos", "json_values", "photo_bytes", "texts"]

PHOTO_FIELD = "bytes"


def texts(column: pa.Array) -> list[str]:
    """The cells of a CSV file: empty for null, `true`, numbers, ISO dates, base64 for bytes, JSON for nested values."""
    column = _plain_array(column)
    kind = column.type
    if _is_text(kind):
        values = column.to_pylist()
    elif pa.types.is_float64(kind):  # Arrow writes 1.0 as 1
        values = [None if value is None else repr(value) for value in column.to_pylist()]
    elif _is_binary(kind) or not _is_castable(kind):
        values = [_nested_text(value) for value in column.to_pylist()]
    else:
        values = pc.cast(column, pa.string()).to_pylist()
    return ["" if value is None else value for value in values]


def json_values(column: pa.Array) -> list[Any]:
    """The values of JSON: null also for a number that is none or infinite, ISO dates, base64 for bytes."""
    if isinstance(column.type, pa.JsonType):
        return [None if text is None else json.loads(text) for text in column.storage.to_pylist()]
    column = _plain_array(column)
    kind = column.type
    if pa.types.is_temporal(kind) and _is_castable(kind):
        return list(pc.cast(column, pa.string()).to_pylist())
    return [_plain(value) for value in column.to_pylist()]


def holds_photos(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold the bytes of photos: binary, or a structure with a field `bytes`."""
    if pa.types.is_struct(kind):
        position = kind.get_field_index(PHOTO_FIELD)
        return position >= 0 and _is_binary(kind.field(position).type)
    return _is_binary(kind)


def photo_bytes(column: pa.Array) -> list[bytes | None]:
    """The photos of such a column; None where there is none."""
    if pa.types.is_struct(column.type):
        column = pc.struct_field(column, [PHOTO_FIELD])
    return list(column.to_pylist())


def _plain_array(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_binary(kind: pa.DataType) -> bool:
    types = pa.types
    return (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    )


def _is_castable(kind: pa.DataType) -> bool:
    types = pa.types
    return types.is_primitive(kind) or types.is_decimal(kind) or types.is_null(kind)


def _nested_text(value: Any) -> str | None:
    plain = _plain(value)
    return plain if plain is None or isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | bool | int) else str(value)
