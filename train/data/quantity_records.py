"""Labelled photos as records. Labels, photos and OCR caches stay where they are; nothing is copied."""

import csv
import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from resformer.model.errors import ResformerError
from resformer.model.images.line_segments import LineDrawing, find_line_drawing
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema

__all__ = [
    "IMAGE_COLUMNS",
    "Question",
    "Record",
    "file_name",
    "label_rows",
    "photo_name",
    "photo_records",
    "quantity_entity",
    "read_cached_photos",
    "read_challenge",
    "read_hand",
    "read_label_counts",
    "read_ocr_cache",
    "read_unlabelled",
    "with_drawing",
    "with_ocr",
]

IMAGE_COLUMNS = "image|image_link"


@dataclass(frozen=True)
class Question:
    """What is asked about a photo and what is known of the answer.

    Attributes:
        accepted: every answer that counts as right, best first; none = not shown.
        empty_accepted: whether the empty answer counts as right beside those in `accepted`.
        in_priors: the label is among those that the priors count, see LabelPriors.features.
        negatives: where no right answer is known, indices of candidates that are wrong.
        weight: of the answer in the loss, 0 to 1.
    """

    entity: Entity
    accepted: tuple[Quantity, ...]
    in_priors: bool = False
    negatives: frozenset[int] = frozenset()
    weight: float = 1.0
    empty_accepted: bool = False

    @property
    def empty_is_right(self) -> bool:
        """Whether an empty answer counts as right."""
        return self.empty_accepted or not self.accepted

    @property
    def accepted_texts(self) -> tuple[str, ...]:
        """The accepted answers in canonical form, with "" where it counts as right beside others."""
        return (*map(str, self.accepted), *([""] if self.empty_accepted else []))

    @property
    def excluded_label(self) -> Quantity | None:
        """The label that the priors count, which they must leave out for this question."""
        return self.accepted[0] if self.in_priors else None


@dataclass(frozen=True)
class Record:
    """One photo, the text lines on it, and the questions about it.

    Attributes:
        photo: None for synthetic layouts.
        text: title and description that came with the photo.
        group_id, drawing: see model.ocr.page.Page.
        assume_present: whether the product is presumed to have the values, as where a catalogue asks; otherwise the
            questions are asked because the schema has the entities.
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
    assume_present: bool = True

    @property
    def split_keys(self) -> tuple[str, ...]:
        """The photo's file name: sources may name one photo with and without its folder."""
        return (file_name(self.name),)

    @property
    def page(self) -> Page:
        """The photo's text lines and line drawing."""
        return Page(self.lines, self.width, self.height, self.drawing, self.group_id)


def read_ocr_cache(path: Path) -> dict[str, Record]:
    """Photos with their text lines and no questions, by file name, from a JSON-lines file (may be gzipped).

    Raises:
        ValueError: the file is no OCR cache.
    """
    records = {}
    number = 1
    try:
        with _opened(path, "utf-8") as file:
            for line in file:
                row = json.loads(line)
                lines = tuple(
                    TextLine(((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score)
                    for ((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score in row["lines"]
                )
                records[row["image"]] = Record(row["image"], None, row["width"], row["height"], lines, ())
                number += 1
    except (ValueError, KeyError, TypeError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}, line {number}: not an OCR cache; `resformer data ocr` makes one") from error
    return records


def read_challenge(labels: Path, photos: Path, ocr: Path, schema: Schema, *, in_priors: bool = False) -> list[Record]:
    """Records of the challenge's CSV: image (or image_link), entity_name, entity_value.

    A label that is no quantity of its entity (0.3 % have a foreign unit) is left out.

    Args:
        in_priors: these labels are among those that the priors count.

    Raises:
        ValueError: a photo or its text lines are missing.
    """
    questions: dict[str, list[Question]] = {}
    groups: dict[str, str] = {}
    for row in label_rows(labels, IMAGE_COLUMNS, "entity_name", "entity_value"):
        entity = quantity_entity(row, schema, labels)
        quantity = parse_quantity(row["entity_value"], entity.units)
        if quantity is not None:
            name = photo_name(row)
            questions.setdefault(name, []).append(Question(entity, (quantity,), in_priors))
            groups[name] = row.get("group_id", "")
    return [replace(r, group_id=groups[r.name]) for r in photo_records(questions, photos, ocr)]


def read_hand(labels: Path, photos: Path, ocr: Path, schema: Schema) -> list[Record]:
    """Records of labels made by eye: image, entity_name, accept with answers separated by `|`, empty = not shown.

    Raises:
        ValueError: an answer is no quantity of its entity, or a photo or its text lines are missing.
    """
    questions: dict[str, list[Question]] = {}
    for row in label_rows(labels, "image", "entity_name", "accept"):
        entity = quantity_entity(row, schema, labels)
        accepted = []
        for text in filter(None, row["accept"].split("|")):
            quantity = parse_quantity(text, entity.units)
            if quantity is None:
                raise ValueError(f"{labels}: {row['image']}: {text!r} is no {entity.name}")
            accepted.append(quantity)
        questions.setdefault(row["image"], []).append(Question(entity, tuple(accepted)))
    return photo_records(questions, photos, ocr)


def read_unlabelled(labels: Path, photos: Path, ocr: Path, schema: Schema) -> list[Record]:
    """Records of photos of which only the questions are known: image (or image_link), entity_name.

    Raises:
        ValueError: a photo or its text lines are missing.
    """
    questions: dict[str, list[Question]] = {}
    groups: dict[str, str] = {}
    for row in label_rows(labels, IMAGE_COLUMNS, "entity_name"):
        questions.setdefault(photo_name(row), []).append(Question(quantity_entity(row, schema, labels), ()))
        groups[photo_name(row)] = row.get("group_id", "")
    return [replace(r, group_id=groups[r.name]) for r in photo_records(questions, photos, ocr)]


def photo_records(questions: Mapping[str, Sequence[Question]], photos: Path, *ocr: Path) -> list[Record]:
    """Photos with their text lines, line drawings and questions, by name.

    Args:
        questions: by path of the photo in `photos`, which becomes the record's name.
        photos: folder.
        ocr: OCR caches, which name photos by their file names.

    Raises:
        ValueError: a photo or its text lines are missing, or two caches have one photo.
    """
    cached = read_cached_photos(sorted(questions), ocr)
    if missing := sorted(name for name in questions if not (photos / name).is_file()):
        raise ValueError(f"{photos} lacks {len(missing)} labelled photos, {missing[0]} first")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        records = list(pool.map(lambda record: with_drawing(record, photos / record.name), cached))
    return [replace(record, questions=tuple(questions[record.name])) for record in records]


def with_ocr(records: Sequence[Record], *ocr: Path) -> list[Record]:
    """The records with the text lines of other OCR caches. Raises ValueError: a photo is in none, or in two."""
    cached = read_cached_photos([record.name for record in records], ocr)
    return [replace(record, lines=other.lines) for record, other in zip(records, cached, strict=True)]


def read_label_counts(labels: Path, schema: Schema) -> Iterator[tuple[str, str, Quantity]]:
    """Entity name, group and quantity of every label of a challenge CSV whose photos need not be there."""
    for row in label_rows(labels, "entity_name", "entity_value"):
        quantity = parse_quantity(row["entity_value"], quantity_entity(row, schema, labels).units)
        if quantity is not None:
            yield row["entity_name"], row.get("group_id", ""), quantity


def photo_name(row: dict[str, str]) -> str:
    """File name of a label row's photo, whether its column gives a name or a link."""
    return file_name(row.get("image") or row.get("image_link", ""))


def file_name(path: str) -> str:
    """The last part of a path or a link, by which OCR caches name photos."""
    return path.rsplit("/", 1)[-1]


def quantity_entity(row: Mapping[str, str], schema: Schema, labels: Path) -> Entity:
    """The entity that a label row asks about. Raises ValueError: the schema has no such quantity."""
    name = row["entity_name"]
    for entity in schema.quantities:
        if entity.name == name:
            return entity
    known = ", ".join(entity.name for entity in schema.quantities)
    raise ValueError(f"{labels}: {name!r} is no quantity of the schema; it has {known}")


def with_drawing(record: Record, photo: Path, *, wanted: bool = True) -> Record:
    """The record with its photo, which is decoded in any case, and where wanted with its line drawing.

    Raises:
        ValueError: the photo cannot be decoded.
        OSError: it cannot be read.
    """
    try:
        image = decode_photo(photo.read_bytes())
    except ResformerError as error:
        raise ValueError(f"{photo}: {error}") from error
    return replace(record, photo=photo, drawing=find_line_drawing(image) if wanted else None)


def label_rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    """Rows of a CSV file, which may be gzipped and begin with a byte order mark; missing cells are empty.

    Args:
        columns: those that must be there; `a|b` means that either will do.

    Raises:
        ValueError: the file is no CSV in UTF-8, has no rows, or lacks a column.
        OSError: it cannot be read.
    """
    empty = True
    try:
        with _opened(path, "utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            header = list(reader.fieldnames or [])
            if missing := [column for column in columns if not set(column.split("|")) & set(header)]:
                names = " or ".join(map(repr, missing[0].split("|")))
                raise ValueError(f"{path} has no column {names}; it has {', '.join(header) or 'none'}")
            for row in reader:
                if None in row:
                    raise ValueError(
                        f"{path}, line {reader.line_num}: more cells than columns; quote cells that hold commas"
                    )
                empty = False
                yield row
    except UnicodeError as error:
        raise ValueError(f"{path} is not UTF-8; save it again as UTF-8") from error
    except (csv.Error, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is not a CSV file: {error}") from error
    if empty:
        raise ValueError(f"{path} has no rows; it needs at least one below its header")


def _opened(path: Path, encoding: str) -> TextIO:
    """A text file, which may be gzipped."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def read_cached_photos(names: Sequence[str], ocr: Sequence[Path]) -> list[Record]:
    """The photos of these names from several OCR caches. Raises ValueError: one is in none of them, or in two."""
    cached: dict[str, Record] = {}
    for path in ocr:
        found = read_ocr_cache(path)
        if twice := sorted(found.keys() & cached.keys()):
            raise ValueError(f"{path} has {twice[0]}, as another OCR cache has; leave one of them out")
        cached |= found
    if missing := sorted({name for name in names if file_name(name) not in cached}):
        caches = ", ".join(map(str, ocr))
        raise ValueError(f"{caches} lacks the text lines of {len(missing)} photos, {missing[0]} first")
    return [replace(cached[file_name(name)], name=name) for name in names]
