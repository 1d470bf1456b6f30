"""Labelled photos as records. Labels, photos and words stay where they are; nothing is copied."""

import csv
import gzip
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from resformer.model.images.line_segments import LineDrawing, find_line_drawing
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = [
    "Question",
    "Record",
    "label_rows",
    "photo_name",
    "read_again",
    "read_challenge",
    "read_hand",
    "read_label_counts",
    "read_unlabelled",
    "read_words",
    "with_drawing",
]


@dataclass(frozen=True)
class Question:
    """What is asked about a photo and what is known of the answer.

    Attributes:
        accepted: every answer that counts as right, best first; none = not shown.
        counted: the label is among those that the priors counted, see LabelPriors.describe.
        rejected: where no right answer is known, candidates that are wrong, by number.
        trust: weight of the answer in training, 0 to 1.
    """

    entity: Entity
    accepted: tuple[Quantity, ...]
    counted: bool = False
    rejected: frozenset[int] = frozenset()
    trust: float = 1.0

    @property
    def excluded_label(self) -> Quantity | None:
        """The label that the priors have counted, which they must leave out for this question."""
        return self.accepted[0] if self.counted else None


@dataclass(frozen=True)
class Record:
    """One photo, the words read on it, and the questions about it. `photo` is None for drawn layouts.

    Attributes:
        text: title and description that came with the photo.
        group_id, drawing: see model.ocr.page.Page.
    """

    name: str
    photo: Path | None
    width: int
    height: int
    lines: tuple[TextLine, ...]
    questions: tuple[Question, ...]
    text: str = ""
    group_id: str = ""
    drawing: LineDrawing | None = None

    @property
    def page(self) -> Page:
        return Page(self.lines, self.width, self.height, self.drawing, self.group_id)


def read_words(path: Path) -> dict[str, Record]:
    """Photos with their words and no questions, by file name, from a JSON-lines file (may be gzipped)."""
    records = {}
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            lines = tuple(
                TextLine(((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score)
                for ((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score in row["lines"]
            )
            records[row["image"]] = Record(row["image"], None, row["width"], row["height"], lines, ())
    return records


def read_challenge(labels: Path, photos: Path, words: Path, schema: Schema, *, counted: bool = False) -> list[Record]:
    """The challenge's CSV: image (or image_link), entity_name, entity_value.

    A label that is no quantity of its entity (0.3 % have a foreign unit) is left out.
    `counted`: these labels are among those that the priors counted.
    """
    questions: dict[str, list[Question]] = {}
    groups: dict[str, str] = {}
    for row in label_rows(labels):
        entity = schema[row["entity_name"]]
        quantity = parse_quantity(row["entity_value"], entity.units)
        if quantity is not None:
            name = photo_name(row)
            questions.setdefault(name, []).append(Question(entity, (quantity,), counted))
            groups[name] = row.get("group_id", "")
    return [replace(r, group_id=groups[r.name]) for r in _with_words(questions, photos, words)]


def read_hand(labels: Path, photos: Path, words: Path, schema: Schema) -> list[Record]:
    """Labels made by eye: image, entity_name, accept with answers separated by `|`, empty = not shown."""
    questions: dict[str, list[Question]] = {}
    for row in label_rows(labels):
        entity = schema[row["entity_name"]]
        accepted = []
        for text in filter(None, row["accept"].split("|")):
            quantity = parse_quantity(text, entity.units)
            if quantity is None:
                raise ValueError(f"{labels}: {row['image']}: {text!r} is no {entity.name}")
            accepted.append(quantity)
        questions.setdefault(row["image"], []).append(Question(entity, tuple(accepted)))
    return _with_words(questions, photos, words)


def read_unlabelled(labels: Path, photos: Path, words: Path, schema: Schema) -> list[Record]:
    """Photos of which only is known what was asked: image (or image_link), entity_name."""
    questions: dict[str, list[Question]] = {}
    groups: dict[str, str] = {}
    for row in label_rows(labels):
        questions.setdefault(photo_name(row), []).append(Question(schema[row["entity_name"]], ()))
        groups[photo_name(row)] = row.get("group_id", "")
    return [replace(r, group_id=groups[r.name]) for r in _with_words(questions, photos, words)]


def read_again(records: Sequence[Record], words: Path) -> list[Record]:
    """The records with other words of the same photos. Raises ValueError: a photo has none."""
    read = read_words(words)
    if missing := sorted({r.name for r in records} - read.keys()):
        raise ValueError(f"{words} lacks the words of {len(missing)} photos, {missing[0]} first")
    return [replace(record, lines=read[record.name].lines) for record in records]


def read_label_counts(labels: Path, schema: Schema) -> Iterator[tuple[str, str, Quantity]]:
    """Entity name, group and quantity of every label of a challenge CSV whose photos need not be there."""
    for row in label_rows(labels):
        quantity = parse_quantity(row["entity_value"], schema[row["entity_name"]].units)
        if quantity is not None:
            yield row["entity_name"], row.get("group_id", ""), quantity


def photo_name(row: dict[str, str]) -> str:
    """File name of a label row's photo, whether its column gives a name or a link."""
    return (row.get("image") or row["image_link"]).rsplit("/", 1)[-1]


def with_drawing(record: Record, photo: Path, *, wanted: bool = True) -> Record:
    """The record with its photo, which is decoded in any case, and where wanted the segments and the outline on it."""
    image = decode_photo(photo.read_bytes())
    return replace(record, photo=photo, drawing=find_line_drawing(image) if wanted else None)


def label_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file, which may be gzipped and begin with a byte order mark."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _with_words(questions: dict[str, list[Question]], photos: Path, words: Path) -> list[Record]:
    read = read_words(words)
    missing = sorted(questions.keys() - read.keys())
    if missing:
        raise ValueError(f"{words} lacks the words of {len(missing)} labelled photos, {missing[0]} first")
    missing = sorted(name for name in questions if not (photos / name).is_file())
    if missing:
        raise ValueError(f"{photos} lacks {len(missing)} labelled photos, {missing[0]} first")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        drawn = list(pool.map(lambda name: with_drawing(read[name], photos / name), sorted(questions)))
    return [replace(record, questions=tuple(questions[record.name])) for record in drawn]
