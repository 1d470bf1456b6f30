"""Labelled photos as records. Labels, photos and OCR caches stay where they are; nothing is copied."""

import gzip
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import IMAGE_COLUMNS, TablePhotos, image_cell
from resformer.model.files.tables import Row, read_table
from resformer.model.images.line_segments import LineDrawing, find_line_drawing
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.parser import parse_quantity
from resformer.model.quantities.quantity import Quantity
from resformer.model.schema.schema import Entity, Schema
from resformer.train.data.left_out import LeftOut, Log

__all__ = [
    "Question",
    "Record",
    "file_name",
    "photo_records",
    "quantity_entity",
    "read_cached_photos",
    "read_challenge",
    "read_counted_labels",
    "read_hand",
    "read_ocr_cache",
    "read_unlabelled",
    "refuse_shared_file_names",
    "with_drawing",
    "with_ocr",
]

IMAGE = "|".join(IMAGE_COLUMNS)


@dataclass(frozen=True)
class Question:
    """What is asked about a photo and what is known of the answer.

    Attributes:
        accepted: every answer that counts as right, best first; none = not shown.
        empty_accepted: whether the empty answer counts as right beside those in `accepted`.
        in_priors: the label is among those that the priors count, see LabelPriors.features.
        weight: of the answer in the loss, 0 to 1.
    """

    entity: Entity
    accepted: tuple[Quantity, ...]
    in_priors: bool = False
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
        group_id, drawing: see model.ocr.page.Page.
        title: text that was sent with the photo.
        assume_present: whether the product is presumed to have the values, as where a catalogue asks; otherwise the
            questions are asked because the schema has the entities.
    """

    name: str
    photo: Path | None
    width: int
    height: int
    lines: tuple[TextLine, ...]
    questions: tuple[Question, ...]
    group_id: str = ""
    drawing: LineDrawing | None = None
    title: str = ""
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
        ValueError: the file is no OCR cache, or has a photo twice.
    """
    records: dict[str, Record] = {}
    number = 1
    twice = ""
    try:
        with _opened(path, "utf-8") as file:
            for line in file:
                row = json.loads(line)
                lines = tuple(
                    TextLine(((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score)
                    for ((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score in row["lines"]
                )
                record = Record(row["image"], None, row["width"], row["height"], lines, ())
                if records.setdefault(record.name, record) is not record:
                    twice = record.name
                    break
                number += 1
    except (ValueError, KeyError, TypeError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}, line {number}: not an OCR cache; `resformer data ocr` makes one") from error
    if twice:
        raise ValueError(f"{path}, line {number}: {twice} is there before; delete one of the two lines")
    return records


def read_challenge(
    labels: Path, photos: Path, ocr: Path, schema: Schema, *, in_priors: bool = False, log: Log = tqdm.write
) -> list[Record]:
    """Records of the challenge's CSV: image (or image_link), entity_name, entity_value.

    A label that is no quantity of its entity (0.3 % have a foreign unit) is left out; how many are goes to the log.

    Args:
        in_priors: these labels are among those that the priors count.

    Raises:
        ValueError: the table cannot be used, or a photo or its text lines are missing.
    """
    foreign = LeftOut(labels, "labels are no quantity of their entity and left out", log)
    questions: dict[str, list[Question]] = {}
    groups: dict[str, str] = {}
    for row, name in _with_photos(labels, photos, IMAGE, "entity_name", "entity_value"):
        entity = quantity_entity(row, schema)
        quantity = parse_quantity(row["entity_value"], entity.units)
        if quantity is None:
            foreign.add(row.line, row["entity_value"])
        else:
            questions.setdefault(name, []).append(Question(entity, (quantity,), in_priors))
            groups[name] = row.get("group_id", "").strip()
    foreign.report()
    return [replace(r, group_id=groups[r.name]) for r in photo_records(questions, photos, ocr)]


def read_hand(labels: Path, photos: Path, ocr: Path, schema: Schema) -> list[Record]:
    """Records of labels made by eye: image, entity_name, accept with answers separated by `|`, empty = not shown.

    Raises:
        ValueError: the table cannot be used, an answer is no quantity of its entity, or a photo or its text lines are
            missing.
    """
    questions: dict[str, list[Question]] = {}
    for row, name in _with_photos(labels, photos, IMAGE, "entity_name", "accept"):
        entity = quantity_entity(row, schema)
        accepted = []
        for text in filter(None, map(str.strip, row["accept"].split("|"))):
            quantity = parse_quantity(text, entity.units)
            if quantity is None:
                raise ValueError(f"{row.where('accept')}: {text!r} is no {entity.name}; write a number and a unit")
            accepted.append(quantity)
        questions.setdefault(name, []).append(Question(entity, tuple(accepted)))
    return photo_records(questions, photos, ocr)


def read_unlabelled(labels: Path, photos: Path, ocr: Path, schema: Schema) -> list[Record]:
    """Records of photos of which only the questions are known: image (or image_link), entity_name.

    Raises:
        ValueError: the table cannot be used, or a photo or its text lines are missing.
    """
    questions: dict[str, list[Question]] = {}
    groups: dict[str, str] = {}
    for row, name in _with_photos(labels, photos, IMAGE, "entity_name"):
        questions.setdefault(name, []).append(Question(quantity_entity(row, schema), ()))
        groups[name] = row.get("group_id", "").strip()
    return [replace(r, group_id=groups[r.name]) for r in photo_records(questions, photos, ocr)]


def _with_photos(labels: Path, photos: Path, *columns: str) -> Iterator[tuple[Row, str]]:
    """The rows of a label file with the path of each one's photo in the folder; at the end, what is missing is refused.

    Raises:
        UnusableFile: the table cannot be used, or a photo is missing.
    """
    names = TablePhotos(labels, photos)
    for row in read_table(labels, *columns, needs_rows=True):
        if (name := names.name(row, image_cell(row))) is not None:
            yield row, name
    names.refuse_missing()


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


def with_ocr(records: Sequence[Record], ocr: Sequence[Path]) -> list[Record]:
    """The records with the text lines of other OCR caches, once for each cache that has the photo.

    Raises:
        ValueError: a photo is in none of them.
    """
    caches = [read_ocr_cache(path) for path in ocr]
    if missing := sorted({r.name for r in records if not any(file_name(r.name) in cache for cache in caches)}):
        raise _lacking(missing, ocr)
    return [
        replace(record, lines=cache[file_name(record.name)].lines)
        for cache in caches
        for record in records
        if file_name(record.name) in cache
    ]


def read_counted_labels(labels: Path, schema: Schema, *, log: Log = tqdm.write) -> Iterator[tuple[str, str, Quantity]]:
    """Entity name, group and quantity of every label of a challenge CSV whose photos need not be there.

    A label that is no quantity of its entity is left out; how many are goes to the log.
    """
    foreign = LeftOut(labels, "labels are no quantity of their entity and left out", log)
    for row in read_table(labels, "entity_name", "entity_value", needs_rows=True):
        entity = quantity_entity(row, schema)
        quantity = parse_quantity(row["entity_value"], entity.units)
        if quantity is None:
            foreign.add(row.line, row["entity_value"])
        else:
            yield entity.name, row.get("group_id", "").strip(), quantity
    foreign.report()


def file_name(path: str) -> str:
    """The last part of a path or a link, by which OCR caches name photos."""
    return path.rsplit("/", 1)[-1]


def quantity_entity(row: Row, schema: Schema) -> Entity:
    """The entity that a label row asks about. Raises ValueError: the schema has no such quantity."""
    name = row["entity_name"].strip()
    for entity in schema.quantities:
        if entity.name == name:
            return entity
    known = ", ".join(entity.name for entity in schema.quantities)
    raise ValueError(f"{row.where('entity_name')}: {name!r} is no quantity of the schema; it has {known}")


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


def _opened(path: Path, encoding: str) -> TextIO:
    """A text file, which may be gzipped."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def read_cached_photos(names: Sequence[str], ocr: Sequence[Path]) -> list[Record]:
    """The photos of these names from several OCR caches.

    Raises:
        ValueError: a photo is in none of the caches, or in two, or two photos have one file name.
    """
    refuse_shared_file_names(names)
    cached: dict[str, Record] = {}
    for path in ocr:
        found = read_ocr_cache(path)
        if twice := sorted(found.keys() & cached.keys()):
            raise ValueError(f"{path} has {twice[0]}, as another OCR cache has; leave one of them out")
        cached |= found
    if missing := sorted({name for name in names if file_name(name) not in cached}):
        raise _lacking(missing, ocr)
    return [replace(cached[file_name(name)], name=name) for name in names]


def refuse_shared_file_names(names: Iterable[str]) -> None:
    """Raises ValueError where photos of several folders have one file name, by which OCR caches name them."""
    first: dict[str, str] = {}
    for name in names:
        if (other := first.setdefault(file_name(name), name)) != name:
            raise ValueError(f"{other} and {name} have one file name, so both would get one text; rename one of them")


def _lacking(missing: Sequence[str], ocr: Sequence[Path]) -> ValueError:
    caches = ", ".join(map(str, ocr))
    return ValueError(f"{caches} lacks the text lines of {len(missing)} photos, {missing[0]} first")
