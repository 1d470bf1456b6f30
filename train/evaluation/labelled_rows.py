"""Rows of label files and of prediction files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resformer.model.files.cell_text import integer_text
from resformer.model.files.photo_names import IMAGE_COLUMNS, PhotoFolder, TablePhotos, image_cell
from resformer.model.files.tables import read_table
from resformer.model.quantities.parser import parse_quantity
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import quantity_entity

__all__ = ["LabelledRow", "group_by_photo", "of_first_photos", "read_predictions", "read_rows", "with_photos"]


@dataclass(frozen=True)
class LabelledRow:
    """One row of a label file.

    Attributes:
        photo: file name.
        entity: name of the entity asked about.
        accepted: canonical answers that are right; empty where the photo does not show the value.
        group_id: kind of product, as the public challenge numbers it; "" where unknown.
        unambiguous: whether nearly every annotator would agree; True where the file does not say.
    """

    photo: str
    entity: str
    accepted: tuple[str, ...]
    group_id: str = ""
    unambiguous: bool = True


def read_rows(labels: Path, schema: Schema) -> list[LabelledRow]:
    """Every row of a label file, in its order.

    Args:
        labels: CSV of the challenge (image, entity_name, entity_value) or labelled by hand (image, entity_name,
            accept). A label outside the units of its entity is kept as text, which no prediction equals.
        schema: the entities.

    Raises:
        ValueError: the file has no rows, lacks a column, or asks about what is no quantity of the schema.
    """
    rows = []
    names = TablePhotos(labels)
    for row in read_table(labels, "|".join(IMAGE_COLUMNS), "entity_name", "entity_value|accept", needs_rows=True):
        entity = quantity_entity(row, schema)
        texts = map(str.strip, row["accept"].split("|") if "accept" in row else [row["entity_value"]])
        accepted = tuple(str(parse_quantity(text, entity.units) or text) for text in texts if text)
        unambiguous = integer_text(row.get("sure", "1").strip()) == "1"
        photo = names.name(row, image_cell(row)) or ""
        rows.append(LabelledRow(photo, entity.name, accepted, row.get("group_id", "").strip(), unambiguous))
    return rows


def group_by_photo(rows: Sequence[LabelledRow]) -> dict[str, list[LabelledRow]]:
    """The rows of each photo, photos in the order of their first row."""
    photos: dict[str, list[LabelledRow]] = {}
    for row in rows:
        photos.setdefault(row.photo, []).append(row)
    return photos


def with_photos(rows: Sequence[LabelledRow], photos: Path) -> list[LabelledRow]:
    """The rows with the names that their photos have in a folder, see PhotoFolder.find.

    Raises:
        ValueError: the folder lacks a photo of the rows.
    """
    folder = PhotoFolder(photos)
    names = {row.photo: folder.find(row.photo) for row in rows}
    if missing := sorted(photo for photo, name in names.items() if name is None):
        raise ValueError(
            f"{photos} lacks {len(missing)} of the {len(names)} labelled photos, {missing[0]} first: "
            f"{folder.looked_for(missing[0])}"
        )
    return [replace(row, photo=names[row.photo] or "") for row in rows]


def of_first_photos(rows: Sequence[LabelledRow], limit: int | None) -> list[LabelledRow]:
    """The rows of the first photos by name; all rows where `limit` is None."""
    names = set(sorted(group_by_photo(rows))[:limit])
    return [row for row in rows if row.photo in names]


def read_predictions(path: Path, labels: Path, schema: Schema) -> list[str]:
    """Predictions of a CSV (index, prediction) in the order of the labels, in canonical form where they parse.

    Raises:
        ValueError: an index of the labels has no prediction, or a file cannot be used.
    """
    by_index: dict[str, str] = {}
    for row in read_table(path, "index", "prediction", may_end_early=True):
        if row["index"] in by_index:
            raise ValueError(f"{row.where('index')}: {row['index']!r} is there twice; delete one of the two rows")
        by_index[row["index"]] = row["prediction"].strip()
    predictions = []
    for position, row in enumerate(read_table(labels, "entity_name", needs_rows=True)):
        index = row.get("index") or str(position)
        if index not in by_index:
            raise ValueError(
                f"{path} has no prediction for index {index} ({row.where()}); `resformer sanity` lists what is missing"
            )
        text = by_index[index]
        predictions.append(str(parse_quantity(text, quantity_entity(row, schema).units) or text))
    return predictions
