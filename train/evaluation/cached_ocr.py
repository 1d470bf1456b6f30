"""OCR caches that are made once, each in a process of its own, so that time and memory are the reader's."""

import inspect
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from resformer.model.inference.checkpoint import WEIGHTS_DIR
from resformer.model.ocr.readers import READERS
from resformer.train.evaluation.baselines import ocr_engines
from resformer.train.tools.ocr_cache import OcrSummary, load_reader, write_ocr_cache

__all__ = ["make_ocr_cache"]


def make_ocr_cache(photos: Path, ocr: Path, reader: str, max_side: int | None = None) -> tuple[float, int]:
    """Reads a folder of photos, unless a cache of an earlier run is newer than the code of its reader.

    Args:
        photos: folder.
        ocr: the cache to write; what it cost lies beside it as `.cost.json`.
        reader: one of READERS or of BASELINE_READERS.
        max_side: pixels of the longer side that photos are resized to for the detector; None: the reader's own.

    Returns:
        Mean seconds a photo, and peak memory in MiB.

    Raises:
        ValueError: unknown reader, or its size of photos cannot be set.
    """
    cost = ocr.with_suffix(".cost.json")
    if not cost.exists() or cost.stat().st_mtime < max(path.stat().st_mtime for path in _code_of(reader)):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            made = process.submit(_read, photos, ocr, reader, max_side).result()
        cost.write_text(json.dumps(asdict(made)) + "\n", encoding="utf-8")
    summary = json.loads(cost.read_text())
    return summary["mean_seconds"], summary["peak_mib"]


def _read(photos: Path, ocr: Path, reader: str, max_side: int | None) -> OcrSummary:
    return write_ocr_cache(photos, ocr, load_reader(reader, max_side=max_side))


def _code_of(reader: str) -> list[Path]:
    """Files on which the text that a reader finds depends."""
    if reader not in READERS:
        return [Path(inspect.getfile(ocr_engines))]
    return [*WEIGHTS_DIR.parent.rglob("*.py"), *WEIGHTS_DIR.glob("*.safetensors")]
