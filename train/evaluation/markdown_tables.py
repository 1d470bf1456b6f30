"""Tables in Markdown."""

from collections.abc import Iterable, Sequence

__all__ = ["joined_tables", "markdown_table"]


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table with a head."""
    return [f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows)]


def joined_tables(tables: Iterable[list[str]]) -> list[str]:
    """The lines of several, with a blank one between them."""
    lines: list[str] = []
    for table in tables:
        lines += ["", *table] if lines else table
    return lines
