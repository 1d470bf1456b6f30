"""Scores of systems, row by row, as a comparison goes through photos, readers and systems."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from resformer.model.schema.schema import Schema
from resformer.train.evaluation.labelled_rows import LabelledRow
from resformer.train.evaluation.oracle_recall import oracle_recall
from resformer.train.evaluation.plots import TimedScore
from resformer.train.evaluation.quantity_metrics import ScoredAnswer, f1_interval
from resformer.train.evaluation.quantity_scores import score_rows
from resformer.train.evaluation.systems import System
from resformer.train.evaluation.validation_sets import ReadPhotos

__all__ = ["ALL_LENGTHS", "SystemScore", "SystemTable"]

ALL_LENGTHS = "all lengths"


@dataclass(frozen=True)
class SystemScore:
    """The score of one system on one set of photos.

    Attributes:
        photos: name of the set.
        system: name of the system.
        reader: whose text it had.
        f1: micro-F1.
        f1_interval: its 95 % interval.
        mix: F1 weighted as the challenge's test set.
        precision: of non-empty predictions.
        recall: over rows with an accepted answer.
        entities: F1 of each, and of all lengths together.
        oracle_recall: see oracle_recall.
        reading_s: mean seconds a photo; None where reading was not timed.
        choosing_s: mean seconds a photo, with decoding and the search for line segments.
        memory_mib: peak of the reader.
    """

    photos: str
    system: str
    reader: str
    f1: float
    f1_interval: tuple[float, float]
    mix: float
    precision: float
    recall: float
    entities: Mapping[str, float]
    oracle_recall: float
    reading_s: float | None
    choosing_s: float
    memory_mib: int | None


class SystemTable:
    """The scores of systems, and the answers behind them for paired comparisons."""

    def __init__(self, schema: Schema) -> None:
        self._lengths = [entity.name for entity in schema.entities if entity.is_length]
        self._answers: dict[tuple[str, str, str], list[ScoredAnswer]] = {}
        self.scores: list[SystemScore] = []

    def add(
        self, photos: str, system: str, reader: str, rows: Sequence[LabelledRow], read: ReadPhotos, predict: System
    ) -> None:
        """Scores a system.

        Args:
            photos, system, reader: names.
            rows: labelled questions about the photos of `read`.
            read: records of all those photos.
            predict: the system.
        """
        start = time.perf_counter()
        answers: dict[tuple[str, str], str] = {}
        for record in tqdm(read.records, desc=f"{photos}: {system}, {reader}", disable=None):
            for question, (prediction, _) in zip(record.questions, predict(record), strict=True):
                answers[record.name, question.entity.name] = prediction
        seconds = (time.perf_counter() - start) / len(read.records)
        predictions = [answers[row.photo, row.entity] for row in rows]
        scored = [(row.photo, p, row.accepted) for row, p in zip(rows, predictions, strict=True)]
        self._answers[photos, system, reader] = scored
        score = score_rows(rows, predictions)
        entities = {name: counts.f1 for name, counts in sorted(score.entities.items())}
        if (lengths := score.over(self._lengths)).rows:
            entities[ALL_LENGTHS] = lengths.f1
        self.scores.append(
            SystemScore(
                photos,
                system,
                reader,
                f1=score.micro.f1,
                f1_interval=f1_interval(scored),
                mix=score.mix,
                precision=score.micro.precision,
                recall=score.micro.recall,
                entities=entities,
                oracle_recall=oracle_recall(rows, read.records),
                reading_s=read.reading_s,
                choosing_s=read.drawing_s + seconds,
                memory_mib=read.memory_mib,
            )
        )

    def timed_scores(self) -> list[TimedScore]:
        """F1 and time of whole sets whose reading was timed."""
        return [
            TimedScore(s.photos, s.system, s.reader, s.f1, 1000 * (s.reading_s + s.choosing_s))
            for s in self.scores
            if s.reading_s and "," not in s.photos
        ]

    def pooled(self, system: str, reader: str, sets: Sequence[str]) -> list[ScoredAnswer]:
        """The answers of a system on several sets."""
        return [answer for photos in sets for answer in self._answers[photos, system, reader]]
