"""The formats of tables, by a file's name."""

from enum import StrEnum

from resformer.scripts.lib.locations import Location

__all__ = ["TableFormat", "format_of"]


class TableFormat(StrEnum):
    """How a table is written."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"


SUFFIXES = {
    ".tsv": TableFormat.TSV,
    ".tab": TableFormat.TSV,
    ".jsonl": TableFormat.JSONL,
    ".ndjson": TableFormat.JSONL,
    ".json": TableFormat.JSONL,
    ".parquet": TableFormat.PARQUET,
    ".pq": TableFormat.PARQUET,
}


def format_of(place: Location, given: str | None = None) -> TableFormat:
    """The format `given`, or that of a file's name, of which `.gz` does not count; CSV for any other name."""
    if given:
        return TableFormat(given)
    name = place.name.lower().removesuffix(".gz")
    return next((found for suffix, found in SUFFIXES.items() if name.endswith(suffix)), TableFormat.CSV)
