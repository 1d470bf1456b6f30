"""OCR caches: the text lines of a folder of photos, read once for training and comparisons."""

import gzip
import json
import re
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.files.whole_file import written_whole
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.readers import ALIASES, READERS, Reader
from resformer.model.ocr.tiled_reader import TiledReader
from resformer.model.ocr.two_stage_reader import TwoStageReader
from resformer.model.predictor import Predictor
from resformer.train.data.photo_copies import PHOTO_COPIES
from resformer.train.evaluation.baselines.ocr_engines import BASELINE_READERS

__all__ = ["OcrSummary", "load_reader", "write_ocr_cache", "write_rows"]


@dataclass(frozen=True)
class OcrSummary:
    """How long reading took, and the peak memory of this process or its children.

    Attributes:
        left_out: files that are no photos, and folders.
    """

    photos: int
    left_out: int
    mean_seconds: float | None
    median_seconds: float | None
    peak_mib: int


def load_reader(name: str, *, max_side: int | None = None, threads: int = 2, weights: Path | None = None) -> Reader:
    """A reader of the package, or one of the OCR engines that it is compared with.

    Args:
        max_side: pixels of the longer side that the detector gets; only for the readers `crops` and `builtin`.
        weights: of the readers `crops` and `builtin`; None = the shipped ones.

    Raises:
        ValueError: there is no such reader, or it has no built-in detector.
    """
    known = [*READERS, *ALIASES, *BASELINE_READERS]
    if name not in known:
        raise ValueError(f"there is no reader {name!r}; there are {', '.join(known)}")
    make = BASELINE_READERS.get(name)
    reader: Reader = make(threads) if make else Predictor.load(weights, reader=name, threads=threads).reader_for()
    if max_side is None:
        return reader
    if isinstance(reader, TiledReader):
        reader = reader.reader
    if not isinstance(reader, TwoStageReader):
        raise ValueError(f"the size of photos can be set for the readers crops and builtin, not for {name}")
    if max_side < 1:
        raise ValueError(f"photos of {max_side} pixels: at least 1 is needed")
    return reader.with_max_side(max_side)


def write_ocr_cache(
    photos: Path,
    out: Path,
    reader: Reader,
    *,
    limit: int | None = None,
    copies: bool = False,
    log: Callable[[str], None] = tqdm.write,
) -> OcrSummary:
    """Writes a JSON object per photo: image, width, height, lines = [corners, text, score], and seconds.

    The first photo is read twice, as models are loaded on first use. Photos that cannot be decoded, and folders in the
    folder, are logged and left out.

    Args:
        limit: photos to read, by name; None = all.
        copies: whether a copy of each photo is read, one of PHOTO_COPIES in turn; the corners are still the photo's.

    Raises:
        OSError: a file cannot be read or written.
    """
    rows: list[Mapping[str, object]] = []
    seconds: list[float] = []
    entries = sorted(photos.iterdir())
    folders = [path for path in entries if not path.is_file()]
    for folder in folders:
        log(f"{folder.name}: a folder, whose photos are not read")
    paths = [path for path in entries if path.is_file()][:limit]
    for path, make_copy in zip(tqdm(paths, unit="photo", disable=None), cycle(PHOTO_COPIES.values()), strict=False):
        try:
            image = decode_photo(path.read_bytes())
        except ResformerError as error:
            log(f"{path.name}: {error}")
            continue
        shown = make_copy(image) if copies else image
        if not rows:
            reader.read(shown)
        start = time.perf_counter()
        lines = reader.read(shown)
        seconds.append(time.perf_counter() - start)
        scale = np.divide(image.shape[1::-1], shown.shape[1::-1])
        rows.append(
            {
                "image": path.name,
                "width": image.shape[1],
                "height": image.shape[0],
                "lines": [[(np.array(line.corners) * scale).tolist(), line.text, line.score] for line in lines],
                "seconds": round(seconds[-1], 4),
            }
        )
    write_rows(out, rows)
    mean = round(statistics.mean(seconds), 4) if seconds else None
    median = round(statistics.median(seconds), 4) if seconds else None
    return OcrSummary(len(rows), len(folders) + len(paths) - len(rows), mean, median, _peak_mib())


def write_rows(out: Path, rows: list[Mapping[str, object]]) -> None:
    """Writes JSON lines, gzipped where the name ends with `.gz`."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out, "wb") as file:
        file.write(gzip.compress(text, mtime=0) if out.suffix == ".gz" else text)


def _peak_mib() -> int:
    # Not getrusage of this process: its maximum is inherited from the process that started it.
    own = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(own.group(1)) if own else 0, children) // 1024
