"""Reads the words of a folder of photos once, for training and comparisons.

    python -m train.tools.ocr_cache photos/ words.jsonl.gz
    python -m train.tools.ocr_cache photos/ words.jsonl.gz --reader "PP-OCRv6 tiny"

Writes one JSON object per photo: image, width, height, lines = [corner points, text, score], and the seconds that
reading took (the first photo is read twice: models are loaded on first use). Photos that cannot be decoded are named
and left out. Ends with one line of JSON: photos, mean and median seconds, peak memory of this process or its children.
"""

import argparse
import gzip
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.readers import ALIASES, READERS
from resformer.model.ocr.two_stage_reader import TwoStageReader
from resformer.model.predictor import Predictor
from resformer.train.evaluation.baselines.ocr_engines import BASELINE_READERS

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("words", type=Path, help="JSON lines, gzipped where the name ends with .gz")
    parser.add_argument("--reader", choices=[*READERS, *ALIASES, *BASELINE_READERS], default="ppocr")
    parser.add_argument("--longest", type=int, help="pixels of the longer side that crops and builtin look at")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(arguments)
    make = BASELINE_READERS.get(args.reader)
    reader = make(args.threads) if make else Predictor.load(reader=args.reader, threads=args.threads).reader_for()
    if args.longest is not None:
        if not isinstance(reader, TwoStageReader):
            parser.error(
                f"--longest is for the readers crops and builtin with weights that read, not for {args.reader}"
            )
        if args.longest < 1:
            parser.error(f"--longest is {args.longest}, must be at least 1 pixel")
        reader = reader.with_max_side(args.longest)
    rows: list[dict[str, object]] = []
    seconds: list[float] = []
    for path in tqdm(sorted(p for p in args.photos.iterdir() if p.is_file()), desc=args.reader, disable=None):
        try:
            image = decode_photo(path.read_bytes())
        except ResformerError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            continue
        if not rows:
            reader.read(image)
        began = time.perf_counter()
        lines = reader.read(image)
        seconds.append(time.perf_counter() - began)
        rows.append(
            {
                "image": path.name,
                "width": image.shape[1],
                "height": image.shape[0],
                "lines": [[line.corners, line.text, line.score] for line in lines],
                "seconds": round(seconds[-1], 4),
            }
        )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    args.words.parent.mkdir(parents=True, exist_ok=True)
    args.words.write_bytes(gzip.compress(text.encode()) if args.words.suffix == ".gz" else text.encode())
    summary = {
        "photos": len(rows),
        "mean_seconds": round(statistics.mean(seconds), 4) if seconds else None,
        "median_seconds": round(statistics.median(seconds), 4) if seconds else None,
        "peak_mib": _peak_mib(),
    }
    print(json.dumps(summary))
    return 0


def _peak_mib() -> int:
    # Not getrusage of this process: its maximum is inherited from the process that started it.
    own = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(own.group(1)) if own else 0, children) // 1024


if __name__ == "__main__":
    sys.exit(main())
