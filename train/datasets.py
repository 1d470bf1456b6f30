"""Labelled photos as records. Labels, photos and words stay where they are; nothing is copied."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from model.quantity import Quantity, parse_quantity
from model.schema import Entity, Schema
from model.words import Line

__all__ = [
    "Question",
    "Record",
    "label_rows",
    "read_challenge",
    "read_hand",
    "read_label_counts",
    "read_words",
]


@dataclass(frozen=True)
class Question:
    """What is asked about a photo and what is known of the answer.

    Attributes:
        accepted: every answer that counts as right, best first; none = not shown.
        counted: the label is among those that the priors counted, see Priors.describe.
        rejected: where no right answer is known, candidates that are wrong, by number.
    """

    entity: Entity
    accepted: tuple[Quantity, ...]
    counted: bool = False
    rejected: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Record:
    """One photo, the words read on it, and the questions about it. `photo` is None for drawn layouts."""

    name: str
    photo: Path | None
    width: int
    height: int
    lines: tuple[Line, ...]
    questions: tuple[Question, ...]
    text: str = ""


def read_words(path: Path) -> dict[str, Record]:
    """Photos with their words and no questions, by file name, from a JSON-lines file (may be gzipped)."""
    records = {}
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            lines = tuple(
                Line(((ax, ay), (bx, by), (cx, cy), (dx, dy)), text, score)
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
    for row in label_rows(labels):
        entity = schema[row["entity_name"]]
        quantity = parse_quantity(row["entity_value"], entity.units)
        if quantity is not None:
            name = (row.get("image") or row["image_link"]).rsplit("/", 1)[-1]
            questions.setdefault(name, []).append(Question(entity, (quantity,), counted))
    return _with_words(questions, photos, words)


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


def read_label_counts(labels: Path, schema: Schema) -> Iterator[tuple[str, Quantity]]:
    """Entity name and quantity of every label of a challenge CSV whose photos need not be there."""
    for row in label_rows(labels):
        quantity = parse_quantity(row["entity_value"], schema[row["entity_name"]].units)
        if quantity is not None:
            yield row["entity_name"], quantity


def label_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file, which may be gzipped."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        yield from csv.DictReader(file)


def _with_words(questions: dict[str, list[Question]], photos: Path, words: Path) -> list[Record]:
    read = read_words(words)
    missing = sorted(questions.keys() - read.keys())
    if missing:
        raise ValueError(f"{words} lacks the words of {len(missing)} labelled photos, {missing[0]} first")
    return [
        replace(read[name], photo=photos / name, questions=tuple(asked)) for name, asked in sorted(questions.items())
    ]
