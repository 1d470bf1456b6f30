"""Catalogue tables whose photos carry attributes, categories and titles instead of quantities."""

from dataclasses import dataclass
from pathlib import Path

from resformer.train.data.quantity_records import label_rows

__all__ = ["CatalogueRecord", "photo_file", "read_catalogue"]


@dataclass(frozen=True)
class CatalogueRecord:
    """One photo and what its catalogue says of it, by column. A column that is empty for it is left out."""

    name: str
    photo: Path
    values: dict[str, str]


def read_catalogue(labels: Path, photos: Path, *, image: str) -> list[CatalogueRecord]:
    """A CSV with one row per photo: Fashion Product Images, H&M articles, Flipkart products.

    Labels are taken as text: `NA` is a label of its own.

    Args:
        image: the column that names the photo, with or without `.jpg`.

    Raises:
        ValueError: there is no such column, or a photo is missing.
    """
    records, missing = [], []
    for row in label_rows(labels):
        if image not in row:
            raise ValueError(f"{labels} has no column {image!r}; it has {', '.join(row)}")
        name = photo_file(row[image])
        if not (photos / name).is_file():
            missing.append(name)
        values = {column: value for column, value in row.items() if column != image and value}
        records.append(CatalogueRecord(name, photos / name, values))
    if missing:
        raise ValueError(f"{photos} lacks {len(missing)} of the photos of {labels}, {missing[0]} first")
    return records


def photo_file(cell: str) -> str:
    """The file that a table's cell names, with or without `.jpg`."""
    return cell if Path(cell).suffix else f"{cell}.jpg"
