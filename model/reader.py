"""Readers find the print on a photo. The network never sees who read it."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from model.errors import BadRequest
from model.words import Line, Point

__all__ = ["READERS", "NoReader", "PpOcrReader", "Reader", "make_reader"]

MIN_SIDE = 32
MAX_ASPECT = 8


class Reader(Protocol):
    """Anything that reads."""

    def read(self, image: np.ndarray) -> list[Line]:
        """The lines of print on an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        ...


class NoReader:
    """Reads nothing: the network looks at the picture alone."""

    def read(self, image: np.ndarray) -> list[Line]:
        return []


class PpOcrReader:
    """PP-OCRv6 small with its 180-degree classifier, from the package `rapidocr`, on ONNX Runtime.

    The thresholds are the package's own, since the training words were read with them. So is its limit on size:
    print is looked for with the longest side at 2,000 pixels at most, which bounds time and memory. A photo of 12
    or 50 megapixels costs as much as one of 2,000 x 2,000.

    Args:
        threads: How many threads one photo is read with.
    """

    def __init__(self, threads: int):
        # Takes about a second, which those who read nothing need not wait.
        from rapidocr import RapidOCR

        self._engine = RapidOCR(
            params={
                # Below it are remarks on photos without print.
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            }
        )

    def read(self, image: np.ndarray) -> list[Line]:
        height, width = image.shape[:2]
        found: Any = self._engine(_blue_first(_padded(image)))  # Any: the type depends on the engine's switches
        if found.boxes is None:
            return []
        limits = (width - 1.0, height - 1.0)
        return [
            Line(_corners(box, limits), text, float(score))
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]


def _blue_first(image: np.ndarray) -> np.ndarray:
    """RGB to the channel order in which the engine takes arrays."""
    return np.ascontiguousarray(image[:, :, ::-1])


def _padded(image: np.ndarray) -> np.ndarray:
    """The photo with black below and to the right where it is narrow or tiny.

    The engine enlarges the short side to 736 pixels, so a strip of 30 x 2,000 would become 36 megapixels; and it
    fails on the thinnest ones. A strip is padded to a quarter of its length, the engine's own habit for wide ones.
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    least = max(MIN_SIDE, longest // 4 if longest > MAX_ASPECT * min(height, width) else 0)
    below, right = max(0, least - height), max(0, least - width)
    return np.pad(image, ((0, below), (0, right), (0, 0))) if below or right else image


def _corners(box: np.ndarray, limits: Point) -> tuple[Point, Point, Point, Point]:
    """Four corners as floats inside the photo, without the padding."""
    a, b, c, d = ((min(float(x), limits[0]), min(float(y), limits[1])) for x, y in box)
    return (a, b, c, d)


MAKERS: Mapping[str, Callable[[int], Reader]] = {"ppocr": PpOcrReader, "none": lambda threads: NoReader()}
READERS = tuple(MAKERS)


def make_reader(name: str, threads: int) -> Reader:
    """The reader of this name.

    Raises:
        BadRequest: There is none; the message lists those there are.
    """
    if name not in MAKERS:
        raise BadRequest(f"unknown reader {name!r}; known are {', '.join(READERS)}")
    return MAKERS[name](threads)
