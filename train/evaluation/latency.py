"""Time of whole answers beside that of an OCR engine alone, photo by photo in turn.

    python -m train.evaluation.latency DATA
    python -m train.evaluation.latency DATA --reader crops
    python -m train.evaluation.latency DATA --engine "PP-OCRv6 tiny" --photos 50

DATA is the folder of labelled photos that the model card describes. A whole answer is what a request costs from the
bytes of the photo on: decoding, reading, segments, network, for the entities that the labels ask about. The engine has
its package's settings and stops at words. Turns keep a busy spell of the machine from one of the two alone; still, run
it with nothing else.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from resformer.model.images.loading import decode_photo
from resformer.model.ocr.readers import ALIASES, DEFAULT_READER, READERS, Reader
from resformer.model.predictor import Predictor
from resformer.train.evaluation.baselines.ocr_engines import BASELINE_READERS
from resformer.train.evaluation.quantity_scores import Row, read_rows, rows_by_photo
from resformer.train.evaluation.validation_sets import validation_sets

__all__ = ["Pace", "main", "take_turns"]

THREADS = 2
WARM_UP = 3
REST = 0.05  # seconds before each turn: threads of who went before may spin for a while


@dataclass(frozen=True)
class Pace:
    """Seconds per photo of two systems on the same photos: (N,) each."""

    ours: np.ndarray
    theirs: np.ndarray

    @property
    def ratio(self) -> float:
        """Our mean time over theirs."""
        return float(self.ours.mean() / self.theirs.mean())

    def interval(self, samples: int = 2000) -> tuple[float, float]:
        """95 % interval of the ratio, by a bootstrap over photos."""
        draws = np.random.default_rng(0).integers(len(self.ours), size=(samples, len(self.ours)))
        ratios = self.ours[draws].mean(axis=1) / self.theirs[draws].mean(axis=1)
        low, high = np.quantile(ratios, [0.025, 0.975])
        return float(low), float(high)


def take_turns(
    photos: Sequence[str], ours: Callable[[str], object], theirs: Callable[[str], object], warm_up: int = WARM_UP
) -> Pace:
    """Times both on every photo, who begins changing from photo to photo; the first ones are done once before.

    Raises ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("no photos to take the time of")
    for photo in photos[:warm_up]:
        ours(photo)
        theirs(photo)
    seconds: dict[int, list[float]] = {0: [], 1: []}
    for i, photo in enumerate(tqdm(photos, desc="photos", disable=None)):
        turns = [(0, ours), (1, theirs)]
        for who, system in turns if i % 2 == 0 else reversed(turns):
            time.sleep(REST)
            began = time.perf_counter()
            system(photo)
            seconds[who].append(time.perf_counter() - began)
    return Pace(np.array(seconds[0]), np.array(seconds[1]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--reader", choices=(*READERS, *ALIASES), default=DEFAULT_READER, help="of the whole answers")
    parser.add_argument("--engine", choices=list(BASELINE_READERS), default="PP-OCRv6 small")
    parser.add_argument("--photos", type=int, default=100, help="of each set, the first by name (default: 100)")
    args = parser.parse_args(arguments)
    predictor = Predictor.load(reader=args.reader, threads=THREADS)
    engine = BASELINE_READERS[args.engine](THREADS)
    try:
        for photos in validation_sets(args.data):
            asked = rows_by_photo(read_rows(photos.labels, predictor.schema))
            chosen = sorted(asked)[: args.photos]
            pace = _pace({photo: asked[photo] for photo in chosen}, photos.photos, predictor, engine)
            low, high = pace.interval()
            print(
                f"{photos.name}, {len(chosen)} photos: whole answer {pace.ours.mean():.3f} s,"
                f" {args.engine} alone {pace.theirs.mean():.3f} s: {pace.ratio:.2f} ({low:.2f} to {high:.2f})"
            )
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _pace(asked: dict[str, list[Row]], folder: Path, predictor: Predictor, engine: Reader) -> Pace:
    photos = {name: (folder / name).read_bytes() for name in asked}

    def answer(name: str) -> object:
        rows = asked[name]
        return predictor.predict(photos[name], [row.entity for row in rows], group_id=rows[0].group_id)

    return take_turns(list(asked), answer, lambda name: engine.read(decode_photo(photos[name])))


if __name__ == "__main__":
    sys.exit(main())
