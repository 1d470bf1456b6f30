"""The validation photos with their questions and the text on them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resformer.model.schema.schema import Schema
from resformer.train.data.photo_rows import read_photo_rows
from resformer.train.data.quantity_records import Question, Record, read_ocr_cache, with_drawing
from resformer.train.evaluation.labelled_rows import LabelledRow, group_by_photo, with_photos

__all__ = ["OCR_CACHES", "ReadPhotos", "ValidationSet", "read_photos_of", "read_row_records", "validation_sets"]

OCR_CACHES = {
    "train": ("amazon/words_train.jsonl.gz", "amazon/words_unlabelled.jsonl.gz", "hand/words_train.jsonl.gz"),
    "val": ("amazon/words_val.jsonl.gz", "hand/words_val.jsonl.gz"),
}
"""By split, those that came with the photos that have whole rows."""


@dataclass(frozen=True)
class ValidationSet:
    """Labelled photos that nothing is trained on.

    Attributes:
        name: heads its rows in tables.
        labels: CSV, see read_rows.
        photos: folder.
        ocr: OCR cache that came with the photos, made by PP-OCRv6 small.
        larger_photos: whether that cache is of larger versions of the photos.
    """

    name: str
    labels: Path
    photos: Path
    ocr: Path
    larger_photos: bool


def validation_sets(data: Path) -> list[ValidationSet]:
    """The sets in the folder of labelled photos that the model card describes."""
    amazon, hand = data / "amazon", data / "hand"
    return [
        ValidationSet(
            "amazon val", amazon / "labels_val.csv", amazon / "val", amazon / "words_val.jsonl.gz", larger_photos=True
        ),
        ValidationSet(
            "hand val", hand / "labels_hand_val.csv", hand / "val", hand / "words_val.jsonl.gz", larger_photos=False
        ),
    ]


def read_row_records(data: Path, split: str, schema: Schema) -> list[Record]:
    """Whole rows, `train` or `val`, with the text that came with the photos.

    Raises:
        ValueError: a file is broken, or a photo or its text lines are missing.
    """
    rows = data / "rows" / f"rows_{split}.jsonl"
    return read_photo_rows(rows, data, [data / cache for cache in OCR_CACHES[split]], schema)


@dataclass(frozen=True)
class ReadPhotos:
    """Photos with their text and questions, and what it cost to read them.

    Attributes:
        records: one a photo.
        reading_s: mean seconds a photo that the reader takes; None where it was not timed.
        drawing_s: mean seconds a photo for decoding it and finding its line segments.
        memory_mib: peak of the reader's process.
    """

    records: Sequence[Record]
    reading_s: float | None = None
    drawing_s: float = 0.0
    memory_mib: int | None = None


def read_photos_of(rows: Sequence[LabelledRow], ocr: Path, photos: Path, schema: Schema) -> ReadPhotos:
    """A record with its questions for every photo of the rows.

    Args:
        ocr: OCR cache of the photos.
        photos: folder, searched for line segments where a length is asked.

    Raises:
        ValueError: the cache or the folder lacks a photo.
    """
    cached = read_ocr_cache(ocr)
    rows_of = group_by_photo(rows)
    if missing := sorted(rows_of.keys() - cached.keys()):
        raise ValueError(f"{ocr} lacks {len(missing)} photos, {missing[0]} first; delete it, and it is made again")
    with_photos(rows, photos)
    start = time.perf_counter()
    lengths = {name: any(schema[row.entity].is_length for row in of_photo) for name, of_photo in rows_of.items()}
    drawn = {name: with_drawing(cached[name], photos / name, wanted=lengths[name]) for name in rows_of}
    seconds = (time.perf_counter() - start) / max(len(rows_of), 1)
    records = [
        replace(
            drawn[name],
            questions=tuple(Question(schema[row.entity], ()) for row in of_photo),
            group_id=of_photo[0].group_id,
        )
        for name, of_photo in rows_of.items()
    ]
    return ReadPhotos(records, drawing_s=seconds)
