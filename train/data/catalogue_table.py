"""Catalogue tables: photos with attributes, categories and titles instead of quantities."""

from dataclasses import dataclass
from pathlib import Path

from resformer.train.data.quantity_records import label_rows

__all__ = ["CatalogueRecord", "photo_file", "read_catalogue"]


@dataclass(frozen=True)
class CatalogueRecord:
    """One photo and the cells of its row, by column; empty cells are left out."""

    name: str
    photo: Path
    values: dict[str, str]


def read_catalogue(table: Path, photos: Path, *, image_column: str) -> list[CatalogueRecord]:
    """Records of a CSV with one row per photo: Fashion Product Images, H&M articles, Flipkart products.

    Cells are text: `NA` is a label of its own.

    Args:
        image_column: the column that names the photo, with or without `.jpg`.

    Raises:
        ValueError: there is no such column, or a photo is missing.
    """
    records, missing = [], []
    for row in label_rows(table, image_column):
        name = photo_file(row[image_column])
        if not (photos / name).is_file():
            missing.append(name)
        values = {column: value for column, value in row.items() if column != image_column and value}
        records.append(CatalogueRecord(name, photos / name, values))
    if missing:
        raise ValueError(f"{photos} lacks {len(missing)} of the photos of {table}, {missing[0]} first")
    return records


def photo_file(cell: str) -> str:
    """The file that a table's cell names, with or without `.jpg`."""
    return cell if Path(cell).suffix else f"{cell}.jpg"
