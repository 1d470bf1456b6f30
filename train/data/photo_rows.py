"""Whole rows: everything that a photo states about the quantities of the schema, labelled by eye."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from resformer.model.quantities.parser import parse_quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.train.data.quantity_records import Question, Record, photo_records

__all__ = ["read_photo_rows", "read_row_labels"]


def read_photo_rows(rows: Path, data: Path, ocr: Sequence[Path], schema: Schema) -> list[Record]:
    """Records of a rows file, named by their photos' paths in `data`, see read_row_labels.

    Args:
        rows: JSON lines.
        data: the folder that the rows file names photos in.
        ocr: OCR caches with the text lines of all photos.

    Raises:
        ValueError: the rows file is broken, or a photo or its text lines are missing.
    """
    records = photo_records(read_row_labels(rows, schema), data, *ocr)
    return [replace(record, assume_present=False) for record in records]


def read_row_labels(rows: Path, schema: Schema) -> dict[str, tuple[Question, ...]]:
    """The questions about each photo, by its path.

    A line has `image`, `row` (accepted answers by entity, best first; "" among them: the empty answer is accepted as
    well) and `unsure` (entities that are not asked). Every other quantity of the schema is asked; one that is not in
    `row` is not shown. Of several accepted answers, those that the schema cannot express (a range from zero) are left
    out.

    Raises:
        ValueError: a line is no row, names a photo a second time or what is no quantity of the schema, or none of the
            accepted answers is a quantity of its entity.
        OSError: the file cannot be read.
    """
    photos: dict[str, tuple[Question, ...]] = {}
    with rows.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            where = f"{rows}, line {number}"
            name, row, unsure = _parsed(line, where)
            if name in photos:
                raise ValueError(f"{where}: {name} has a row already; leave one of them out")
            names = [entity.name for entity in schema.quantities]
            if unknown := sorted({*row, *unsure} - set(names)):
                raise ValueError(f"{where}: {unknown[0]!r} is no quantity of the schema; it has {', '.join(names)}")
            photos[name] = tuple(
                _question(entity, row.get(entity.name, []), where)
                for entity in schema.quantities
                if entity.name not in unsure
            )
    if not photos:
        raise ValueError(f"{rows} has no rows; it needs one JSON object a line")
    return photos


def _parsed(line: str, where: str) -> tuple[str, Mapping[str, list[str]], list[str]]:
    """Photo, accepted answers by entity, and unsure entities of a line."""
    try:
        content: dict[str, Any] = json.loads(line)
        name, row, unsure = content["image"], content["row"], content.get("unsure", [])
        texts = [name, *row, *unsure, *(text for accepted in row.values() for text in accepted)]
        is_row = all(isinstance(accepted, list) for accepted in row.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{where} is no row; it needs `image`, `row` and `unsure`") from error
    if not is_row or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{where} is no row: `row` needs a list of answers for each entity")
    return name, row, unsure


def _question(entity: Entity, texts: Sequence[str], where: str) -> Question:
    quantities = [parse_quantity(text, entity.units) for text in texts if text]
    accepted = tuple(dict.fromkeys(quantity for quantity in quantities if quantity is not None))
    if texts and not accepted:
        raise ValueError(f"{where}: {' or '.join(map(repr, texts))} is no {entity.name}; name a number and a unit")
    return Question(entity, accepted, empty_accepted="" in texts)
