"""Catalogue tables: photos with attributes, categories and titles instead of quantities."""

from dataclasses import dataclass
from pathlib import Path

from resformer.model.files.photo_names import TablePhotos
from resformer.model.files.tables import read_table

__all__ = ["CatalogueRecord", "read_catalogue"]


@dataclass(frozen=True)
class CatalogueRecord:
    """One photo and the cells of its row.

    Attributes:
        name: path of the photo in its folder.
        values: cells by column, without the spaces around them; empty ones are left out.
        line: of the table.
    """

    name: str
    photo: Path
    values: dict[str, str]
    line: int = 0


def read_catalogue(table: Path, photos: Path, *, image_column: str) -> list[CatalogueRecord]:
    """Records of a CSV with one row per photo: Fashion Product Images, H&M articles, Flipkart products.

    Cells are text: `NA` is a label of its own.

    Args:
        image_column: the column that names the photo, see PhotoFolder.find.

    Raises:
        ValueError: the table cannot be used, there is no such column, or a photo is missing.
    """
    records = []
    names = TablePhotos(table, photos)
    for row in read_table(table, image_column, needs_rows=True):
        if (name := names.name(row, row[image_column], image_column)) is None:
            continue
        cells = {column: cell.strip() for column, cell in row.items() if column != image_column}
        values = {column: cell for column, cell in cells.items() if cell}
        records.append(CatalogueRecord(name, photos / name, values, row.line))
    names.refuse_missing()
    return records
