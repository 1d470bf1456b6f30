"""Photos one by one against `predict_many`, in turns in one process.

    python -m resformer.train.evaluation.batch_speed PHOTOS --reader builtin --threads 1 --sizes detector=4

prints milliseconds a photo; each `--sizes` is one more way, with other batches than those of the device.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from resformer.model.ocr.readers import DEFAULT_READER, READERS
from resformer.model.predictor import Predictor
from resformer.model.runtime.batch_sizes import BatchSizes, batch_sizes_for

__all__ = ["compare_batches"]

Way = Callable[[Sequence[bytes]], object]
PHOTO_FILES = (".jpg", ".jpeg", ".png", ".webp")


def compare_batches(photos: Sequence[bytes], ways: Mapping[str, Way], rounds: int) -> dict[str, list[float]]:
    """Seconds a photo of each way in each round, after a first round that is not counted.

    Args:
        ways: by name; each answers all photos. They take turns in being first.
    """
    for way in ways.values():
        way(photos)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(rounds):
        names = list(ways)
        for name in names[i % len(names) :] + names[: i % len(names)]:
            start = time.perf_counter()
            ways[name](photos)
            seconds[name].append((time.perf_counter() - start) / len(photos))
    return seconds


def _sizes(text: str, of_device: BatchSizes) -> BatchSizes:
    names = [f.name for f in fields(BatchSizes)]
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name in names and value.isdigit() and int(value) for name, _, value in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is no list such as {','.join(f'{name}=1' for name in names)}")
    return replace(of_device, **{name: int(value) for name, _, value in pairs})


def main() -> int:
    """Compares, and prints a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="a folder")
    parser.add_argument("--reader", choices=READERS, default=DEFAULT_READER)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=int, default=64, help="number of photos, the first by name (64)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", action="append", default=[], help="such as detector=4,encoder=8; may be repeated")
    options = parser.parse_args()
    files = [file for file in sorted(options.photos.iterdir()) if file.suffix.lower() in PHOTO_FILES][: options.limit]
    if not files:
        parser.error(f"{options.photos} has no photos ({', '.join(PHOTO_FILES)})")

    def load(sizes: BatchSizes | None) -> Predictor:
        return Predictor.load(reader=options.reader, threads=options.threads, device=options.device, sizes=sizes)

    def together(predictor: Predictor) -> Way:
        return lambda photos: list(predictor.predict_many(photos))

    predictor = load(None)
    ways: dict[str, Way] = {
        "one by one": lambda photos: [predictor.predict(photo) for photo in photos],
        "together": together(predictor),
    }
    try:
        for text in options.sizes:
            ways[text] = together(load(_sizes(text, batch_sizes_for(options.device))))
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    seconds = compare_batches([file.read_bytes() for file in files], ways, options.rounds)
    first = next(iter(seconds.values()))
    for name, of_way in seconds.items():
        ratio = statistics.median(s / f for s, f in zip(of_way, first, strict=True))
        print(f"{name:30} {1000 * statistics.median(of_way):7.1f} ms a photo, {ratio:.2f} of the first way's time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
