"""Time of whole answers beside that of an OCR engine alone, in turn on the same photos."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from resformer.model.images.loading import decode_photo
from resformer.model.ocr.readers import Reader
from resformer.model.predictor import Predictor
from resformer.train.evaluation.baselines.ocr_engines import BASELINE_READERS
from resformer.train.evaluation.bootstrap import bootstrap_samples
from resformer.train.evaluation.labelled_rows import LabelledRow, group_by_photo, of_first_photos, read_rows
from resformer.train.evaluation.validation_sets import validation_sets

__all__ = ["LatencyComparison", "benchmark_latency", "compare_latency"]

THREADS = 2
WARM_UP = 3  # photos
PAUSE_S = 0.05  # before each turn: threads of the other system may spin for a while


@dataclass(frozen=True)
class LatencyComparison:
    """Seconds a photo of two systems on the same photos.

    Attributes:
        ours, theirs: (N,) each.
    """

    ours: np.ndarray
    theirs: np.ndarray

    @property
    def ratio(self) -> float:
        """Our mean time over theirs."""
        return float(self.ours.mean() / self.theirs.mean())

    def interval(self, samples: int = 2000) -> tuple[float, float]:
        """95 % interval of the ratio, by a bootstrap over photos."""
        draws = bootstrap_samples(len(self.ours), samples)
        ratios = self.ours[draws].mean(axis=1) / self.theirs[draws].mean(axis=1)
        low, high = np.quantile(ratios, [0.025, 0.975])
        return float(low), float(high)


def compare_latency(
    photos: Sequence[str], ours: Callable[[str], object], theirs: Callable[[str], object], warm_up: int = WARM_UP
) -> LatencyComparison:
    """Times two systems on every photo in turn, so that a busy spell of the machine meets both.

    Args:
        photos: names. The systems take turns in being first.
        ours, theirs: answer the photo of a name.
        warm_up: photos that both answer once before they are timed.

    Raises:
        ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("there are no photos to time; name at least one")
    for photo in photos[:warm_up]:
        ours(photo)
        theirs(photo)
    seconds: tuple[list[float], list[float]] = ([], [])
    for i, photo in enumerate(tqdm(photos, desc="photos", disable=None)):
        turns = [(seconds[0], ours), (seconds[1], theirs)]
        for times, system in turns if i % 2 == 0 else reversed(turns):
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            system(photo)
            times.append(time.perf_counter() - start)
    return LatencyComparison(np.array(seconds[0]), np.array(seconds[1]))


def benchmark_latency(
    data: Path, readers: Sequence[str], engine: str, *, weights: Path | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Time of whole answers, from the bytes of a photo on, against an OCR engine that stops at text.

    The questions are those of the labels. Run it with nothing else on the machine.

    Args:
        data: the folder of labelled photos that the model card describes.
        readers: of the whole answers.
        engine: one of BASELINE_READERS, with the settings of its package.
        weights: checkpoint; None: the shipped one.
        limit: number of photos of each set, the first by name; None: all.

    Raises:
        ValueError: unknown engine, or a reader does not fit the weights.
    """
    if engine not in BASELINE_READERS:
        raise ValueError(f"unknown engine {engine!r}; known are {', '.join(BASELINE_READERS)}")
    baseline = BASELINE_READERS[engine](THREADS)
    sets = []
    for reader in readers:
        predictor = Predictor.load(weights, reader=reader, threads=THREADS)
        for photos in validation_sets(data):
            rows = of_first_photos(read_rows(photos.labels, predictor.schema), limit)
            comparison = _compare(group_by_photo(rows), photos.photos, predictor, baseline)
            sets.append(
                {
                    "photos": photos.name,
                    "reader": reader,
                    "engine": engine,
                    "num_photos": len(comparison.ours),
                    "seconds": float(comparison.ours.mean()),
                    "engine_seconds": float(comparison.theirs.mean()),
                    "ratio": comparison.ratio,
                    "ratio_interval": list(comparison.interval()),
                }
            )
    return {"sets": sets}


def _compare(
    rows: dict[str, list[LabelledRow]], folder: Path, predictor: Predictor, engine: Reader
) -> LatencyComparison:
    photos = {name: (folder / name).read_bytes() for name in rows}

    def answer(name: str) -> object:
        of_photo = rows[name]
        entities = [row.entity for row in of_photo]
        return predictor.predict(photos[name], entities, group_id=of_photo[0].group_id, assume_present=True)

    return compare_latency(sorted(rows), answer, lambda name: engine.read(decode_photo(photos[name])))
