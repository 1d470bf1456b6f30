"""Who finds the lines with digits, and in what time: our maps of print beside PP-OCR's finders.

    python -m train.evaluation.detection_accuracy --config train/configs/maps.yaml

On the photos that the config's training holds back. A line that PP-OCRv6 small read a digit in is found where a box
covers it with at least half of their union. PP-OCRv6 small itself found those lines, so that what it misses here it
found on another version of the photo.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import resize_for_detector
from resformer.model.inference.checkpoint import WEIGHTS_DIR, load_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.boxes import Box
from resformer.model.ocr.detection_postprocess import extract_lines
from resformer.model.ocr.detector import TextDetector
from resformer.model.ocr.ppocr_recognizer import bundled_model_path, thread_setting
from resformer.model.ocr.two_stage_reader import MIN_LINE_SCORE
from resformer.model.schema.schema import Schema
from resformer.train.config import MapsConfig, load_config
from resformer.train.data.quantity_records import Record
from resformer.train.engine.part_trainer import held_back, photos_of
from resformer.train.ocr.detection.line_matching import bounds, met

__all__ = ["main"]

SIZES = (384, 512, 640, 768)  # pixels of the longer side
THREADS = 2

Finder = Callable[[np.ndarray], list[Box]]


def our_finder(find: TextDetector, longest: int) -> Finder:
    """Boxes of the strips that the reader `crops` would read."""

    def boxes(photo: np.ndarray) -> list[Box]:
        sized, scale = resize_for_detector(photo, longest)
        return [bounds(s.corners) for s in extract_lines(find(sized), scale) if max(s.digit, s.cue) > MIN_LINE_SCORE]

    return boxes


def packaged_finder(size: str) -> Finder:
    """Boxes of PP-OCRv6's finder by the package `rapidocr` with its own settings."""
    from rapidocr import RapidOCR

    params: dict[str, Any] = {"Global.log_level": "error", **thread_setting(THREADS)}
    if size == "tiny":
        params["Det.model_path"] = str(bundled_model_path("tiny/det/det.onnx"))
    engine: Any = RapidOCR(params=params)

    def boxes(photo: np.ndarray) -> list[Box]:
        found = engine(np.ascontiguousarray(photo[:, :, ::-1]), use_det=True, use_cls=False, use_rec=False)
        return [] if found.boxes is None else [bounds(np.asarray(box)) for box in found.boxes]

    return boxes


def measure(finder: Finder, records: Sequence[Record], name: str) -> str:
    """A row of the table."""
    seconds, boxes, lines, found = 0.0, 0, 0, 0
    for i, record in enumerate(tqdm(records, desc=name, leave=False, disable=None)):
        assert record.photo is not None
        photo = decode_photo(record.photo.read_bytes())
        if not i:
            finder(photo)  # prepares what is prepared once
        began = time.perf_counter()
        places = finder(photo)
        seconds += time.perf_counter() - began
        boxes += len(places)
        # Words may have been read on a larger version of the photo.
        scale = record.width / photo.shape[1]
        scaled = [(x0 * scale, y0 * scale, x1 * scale, y1 * scale) for x0, y0, x1, y1 in places]
        for line in record.lines:
            if any(c.isdigit() for c in line.text):
                lines += 1
                found += met(line.box, scaled)
    count = len(records)
    return f"| {name} | {found / max(1, lines):.3f} | {boxes / count:.1f} | {1000 * seconds / count:.0f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS_DIR / "small.safetensors")
    args = parser.parse_args(arguments)
    try:
        config = load_config(args.config, MapsConfig)
        network = load_checkpoint(args.weights, Tokenizer(Schema.load())).network
        if network.text_detector is None:
            raise ValueError(f"{args.weights} has no maps of print; train them with `python -m train.run --maps`")
        _, records = held_back(photos_of(config.sources), config.hold_back)
        find = TextDetector(network.text_detector, "cpu", THREADS)
        finders = {f"ours, {size} pixels": our_finder(find, size) for size in SIZES}
        finders |= {f"PP-OCRv6 {size}": packaged_finder(size) for size in ("tiny", "small")}
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{len(records)} photos\n| finder | lines with digits found | boxes a photo | ms a photo |\n|---|---|---|---|"
    )
    for name, finder in finders.items():
        print(measure(finder, records, name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
