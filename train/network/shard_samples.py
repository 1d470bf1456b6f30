"""A photo with its rows as a sample of a WebDataset shard: `KEY.json`, and the file of the photo as `KEY.jpg` or so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import numpy as np

from resformer.model.images.line_segments import LineDrawing
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question
from resformer.train.network.labelled_photos import LabelledPhoto, PhotoFile

__all__ = ["ShardPhoto", "decode_sample", "encode_sample"]

# Fields of a row that JSON keeps as they are.
PLAIN = (
    "name",
    "width",
    "height",
    "group_id",
    "title",
    "description",
    "assume_present",
    "labels",
    "texts",
    "sampling_weight",
    "natural_weight",
)
NO_SUFFIX = "img"


@dataclass(frozen=True, eq=False)
class ShardPhoto:
    """The file of a photo in memory; see PhotoFile."""

    name: str
    content: bytes

    def __str__(self) -> str:
        """The name."""
        return self.name

    def read_bytes(self) -> bytes:
        """The content of the file."""
        return self.content


def encode_sample(key: str, photo: PhotoFile | None, rows: Sequence[LabelledPhoto]) -> dict[str, Any]:
    """A sample for webdataset's TarWriter.

    Args:
        photo: whose file is stored as it is; None = the rows have none.
        rows: what is known of the photo. Those with a line drawing have the same one.

    Raises:
        OSError: the photo cannot be read.
    """
    drawing = next((row.drawing for row in rows if row.drawing is not None), None)
    content = {
        "photo": None if photo is None else photo.name,
        "drawing": None
        if drawing is None
        else {
            "segments": drawing.segments.tolist(),
            "contrast": drawing.contrast.tolist(),
            "outline": drawing.outline,
        },
        "rows": [_encoded(row) for row in rows],
    }
    sample: dict[str, Any] = {"__key__": key, "json": json.dumps(content, ensure_ascii=False).encode()}
    if photo is not None:
        sample[PurePath(photo.name).suffix.lstrip(".").lower() or NO_SUFFIX] = photo.read_bytes()
    return sample


def decode_sample(sample: Mapping[str, Any], schema: Schema) -> list[LabelledPhoto]:
    """The rows of a sample as webdataset reads it, undecoded."""
    content = json.loads(sample["json"])
    (*files,) = (value for name, value in sample.items() if name != "json" and not name.startswith("__"))
    photo = ShardPhoto(content["photo"], files[0]) if content["photo"] is not None else None
    drawing = None
    if (found := content["drawing"]) is not None:
        segments = np.array(found["segments"], dtype=float).reshape(-1, 4)
        drawing = LineDrawing(segments, np.array(found["contrast"], dtype=float), tuple(found["outline"]))
    return [_decoded(row, photo, drawing, schema) for row in content["rows"]]


def _encoded(row: LabelledPhoto) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in PLAIN},
        "lines": [[line.corners, line.text, line.score] for line in row.lines],
        "has_drawing": row.drawing is not None,
        "questions": [
            {
                "entity": question.entity.name,
                "accepted": [[*map(str, quantity.values), quantity.unit] for quantity in question.accepted],
                "in_priors": question.in_priors,
                "weight": question.weight,
                "empty_accepted": question.empty_accepted,
            }
            for question in row.questions
        ],
    }


def _decoded(
    row: Mapping[str, Any], photo: ShardPhoto | None, drawing: LineDrawing | None, schema: Schema
) -> LabelledPhoto:
    questions = tuple(
        Question(
            schema[question["entity"]],
            tuple(Quantity(tuple(map(Decimal, values)), unit) for *values, unit in question["accepted"]),
            question["in_priors"],
            question["weight"],
            question["empty_accepted"],
        )
        for question in row["questions"]
    )
    lines = tuple(
        TextLine(((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score)
        for ((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score in row["lines"]
    )
    plain = {name: row[name] for name in PLAIN}
    return LabelledPhoto(
        **plain, photo=photo, lines=lines, drawing=drawing if row["has_drawing"] else None, questions=questions
    )
