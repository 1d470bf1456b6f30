"""The validation photos, their questions, and the words read on them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, Record, read_words, with_drawing
from resformer.train.evaluation.quantity_scores import Row, rows_by_photo

__all__ = ["ValidationSet", "Words", "validation_sets", "words_of"]


@dataclass(frozen=True)
class ValidationSet:
    """Labelled photos that nothing is trained on.

    Attributes:
        words: words that came with the photos, read by PP-OCRv6 small.
        originals: those words were read on larger versions of the photos.
    """

    name: str
    labels: Path
    photos: Path
    words: Path
    originals: bool


def validation_sets(data: Path) -> list[ValidationSet]:
    """The sets in the folder of labelled photos that the model card describes."""
    amazon, hand = data / "amazon", data / "hand"
    return [
        ValidationSet(
            "amazon val", amazon / "labels_val.csv", amazon / "val", amazon / "words_val.jsonl.gz", originals=True
        ),
        ValidationSet(
            "hand val", hand / "labels_hand_val.csv", hand / "val", hand / "words_val.jsonl.gz", originals=False
        ),
    ]


@dataclass(frozen=True)
class Words:
    """Photos with their words and questions, and what it cost to read them.

    Attributes:
        reading_s, drawing_s: mean seconds per photo for its words, and for its segments with decoding.
        memory: peak MiB of the reader.
    """

    records: Sequence[Record]
    reading_s: float | None = None
    drawing_s: float = 0.0
    memory: int | None = None


def words_of(rows: Sequence[Row], path: Path, photos: Path, schema: Schema) -> Words:
    """A record with its questions for every photo of the rows. Raises ValueError: a photo has no words."""
    read = read_words(path)
    asked = rows_by_photo(rows)
    if missing := sorted(asked.keys() - read.keys()):
        raise ValueError(
            f"{path} lacks the words of {len(missing)} photos, {missing[0]} first; delete it to read again"
        )
    began = time.perf_counter()
    lengths = {name: any(schema[row.entity].is_length for row in of_photo) for name, of_photo in asked.items()}
    drawn = {name: with_drawing(read[name], photos / name, wanted=lengths[name]) for name in asked}
    seconds = (time.perf_counter() - began) / len(asked)
    records = [
        replace(
            drawn[name],
            questions=tuple(Question(schema[row.entity], ()) for row in of_photo),
            group_id=of_photo[0].group_id,
        )
        for name, of_photo in asked.items()
    ]
    return Words(records, drawing_s=seconds)
