"""The part of the package `rapidocr` that is used here, as types."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np

from resformer.model.runtime.onnx_module import Session

__all__ = ["Engine", "make_engine"]


class RecognizedCrops(Protocol):
    """Texts and scores of line crops."""

    txts: Sequence[str]
    scores: Sequence[float]


class DetectedBoxes(Protocol):
    """Text lines: float32 (N, 4, 2), corners in pixels of the resized photo."""

    boxes: np.ndarray


class ClassifiedCrops(Protocol):
    """Angle, "0" or "180", and score of line crops."""

    cls_res: Sequence[tuple[str, float]]


class Classifier(Protocol):
    """The classifier of upside-down crops."""

    cls_thresh: float


class SessionHolder(Protocol):
    """The package's wrapper around a session of ONNX Runtime."""

    session: Session


class Detector(Protocol):
    """The detector of text lines."""

    session: SessionHolder
    get_preprocess: Callable[[], Callable[[np.ndarray], np.ndarray]]


class Engine(Protocol):
    """rapidocr.RapidOCR."""

    text_cls: Classifier

    def preprocess_img(self, ori_img: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """The photo, uint8 BGR (H, W, 3), at the engine's size, and what was done to it."""
        ...

    def detect_and_crop(self, img: np.ndarray, op_record: dict[str, Any]) -> tuple[list[np.ndarray], DetectedBoxes]:
        """Line crops and their boxes. Raises RapidOCRError: there is no text."""
        ...

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
