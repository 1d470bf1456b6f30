"""Recall and time of text detectors: the built-in one at several sizes, and those of PP-OCRv6."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from resformer.model.images.resize import resize_for_detector
from resformer.model.inference.checkpoint import WEIGHTS_DIR, load_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.boxes import Box
from resformer.model.ocr.detection_postprocess import extract_lines
from resformer.model.ocr.detector import TextDetector
from resformer.model.ocr.ppocr_engine import bundled_model_path, thread_setting
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Record
from resformer.train.data.splitting import split_by_hash
from resformer.train.ocr.detection.detection_counts import bounding_box, overlaps_any
from resformer.train.ocr.ocr_records import load_photo, read_ocr_sources
from resformer.train.settings.run_settings import DetectorConfig, load_config_of

__all__ = ["DetectionScore", "benchmark_detection", "score_detector"]

MAX_SIDES = (384, 512, 640, 768)  # pixels of the longer side
THREADS = 2

Detector = Callable[[np.ndarray], list[Box]]
"""A photo, uint8 RGB (H, W, 3), to the boxes of its text lines in pixels."""


@dataclass(frozen=True)
class DetectionScore:
    """How well one detector finds lines with digits.

    Attributes:
        detector: its name.
        recall: fraction of the lines with digits that are found.
        boxes_per_photo: mean number of boxes.
        ms_per_photo: mean time.
    """

    detector: str
    recall: float
    boxes_per_photo: float
    ms_per_photo: float


def score_detector(name: str, detect: Detector, records: Sequence[Record]) -> DetectionScore:
    """Scores a detector on photos with known text lines.

    A line with a digit is found where a box covers it with at least half of their union.

    Args:
        name: of the detector.
        detect: the detector.
        records: photos with their text lines, which may be of larger versions of the photos.
    """
    seconds, boxes, lines, found = 0.0, 0, 0, 0
    for i, record in enumerate(tqdm(records, desc=name, leave=False, disable=None)):
        photo, scale = load_photo(record)
        if not i:
            detect(photo)  # not timed: what is loaded on first use
        start = time.perf_counter()
        detected = detect(photo)
        seconds += time.perf_counter() - start
        boxes += len(detected)
        scaled = [(x0 / scale, y0 / scale, x1 / scale, y1 / scale) for x0, y0, x1, y1 in detected]
        for line in record.lines:
            if any(character.isdigit() for character in line.text):
                lines += 1
                found += overlaps_any(line.box, scaled)
    count = max(len(records), 1)
    return DetectionScore(name, found / max(lines, 1), boxes / count, 1000 * seconds / count)


def benchmark_detection(config: Path, *, weights: Path | None = None, limit: int | None = None) -> dict[str, Any]:
    """Scores the built-in detector and those of PP-OCRv6 on the validation split of a detector's config.

    The lines to find are those in which PP-OCRv6 small recognised a digit, on a larger version of the photo.

    Args:
        config: of the text detector's training.
        weights: checkpoint; None: the shipped one.
        limit: number of photos, the first ones; None: all.

    Raises:
        ValueError: the checkpoint has no text detector, or the config cannot be used.
    """
    path = weights or WEIGHTS_DIR / "small.safetensors"
    settings = load_config_of(DetectorConfig, config)
    network = load_checkpoint(path, Tokenizer(Schema.load())).network
    if network.text_detector is None:
        raise ValueError(f"{path} has no text detector; train one with train/configs/text_detector.yaml")
    _, records = split_by_hash(read_ocr_sources(settings.sources), settings.val_fraction)
    records = records[:limit]
    detector = TextDetector(network.text_detector, "cpu", THREADS)
    detectors = {f"built-in, {side} pixels": _builtin_detector(detector, side) for side in MAX_SIDES}
    detectors |= {f"PP-OCRv6 {size}": _ppocr_detector(size) for size in ("tiny", "small")}
    scores = [score_detector(name, detect, records) for name, detect in detectors.items()]
    return {"num_photos": len(records), "detectors": [asdict(score) for score in scores]}


def _builtin_detector(detector: TextDetector, max_side: int) -> Detector:
    """Boxes of the lines that the reader `crops` recognises."""

    def detect(photo: np.ndarray) -> list[Box]:
        resized, scale = resize_for_detector(photo, max_side)
        lines = extract_lines(detector(resized), scale)
        return [bounding_box(line.corners) for line in lines]

    return detect


def _ppocr_detector(size: str) -> Detector:
    """Boxes of PP-OCRv6's detector by the package `rapidocr` with its own settings."""
    from rapidocr import RapidOCR

    params: dict[str, Any] = {"Global.log_level": "error", **thread_setting(THREADS)}
    if size == "tiny":
        params["Det.model_path"] = str(bundled_model_path("tiny/det/det.onnx"))
    engine: Any = RapidOCR(params=params)

    def detect(photo: np.ndarray) -> list[Box]:
        result = engine(np.ascontiguousarray(photo[:, :, ::-1]), use_det=True, use_cls=False, use_rec=False)
        return [] if result.boxes is None else [bounding_box(np.asarray(box)) for box in result.boxes]

    return detect
