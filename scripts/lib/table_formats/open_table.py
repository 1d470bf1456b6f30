"""Opens a table of any format."""

from resformer.scripts.lib.locations import Location
from resformer.scripts.lib.table_formats.delimited_table import DelimitedTable
from resformer.scripts.lib.table_formats.format_names import TableFormat, format_of
from resformer.scripts.lib.table_formats.json_lines_table import JsonLinesTable
from resformer.scripts.lib.table_formats.parquet_table import ParquetTable
from resformer.scripts.lib.table_formats.table_reader import TableReader

__all__ = ["open_table"]


def open_table(place: Location, given: str | None = None) -> TableReader:
    """The table at a place.

    Args:
        place: The file.
        given: Its format; None takes it from the file's name.

    Raises:
        UnusableFile: It cannot be read.
    """
    found = format_of(place, given)
    if found is TableFormat.PARQUET:
        return ParquetTable(place)
    if found is TableFormat.JSONL:
        return JsonLinesTable(place)
    return DelimitedTable(place, tabs=found is TableFormat.TSV)
