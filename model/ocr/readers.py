"""The readers: named ways of getting text off a photo. Nothing behind them knows which one was used."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from resformer.model.errors import BadRequest
from resformer.model.networks.parts import Parts
from resformer.model.ocr.detector import TextDetector
from resformer.model.ocr.ppocr_reader import PPOCRReader
from resformer.model.ocr.recognizer import BuiltinRecognizer
from resformer.model.ocr.text_line import TextLine
from resformer.model.ocr.tiled_reader import TiledReader
from resformer.model.ocr.two_stage_reader import SecondReading, TwoStageReader
from resformer.model.runtime.batch_sizes import BatchSizes, batch_sizes_for

__all__ = [
    "DEFAULT_READER",
    "READERS",
    "BatchReader",
    "NullReader",
    "Reader",
    "canonical_reader",
    "make_reader",
    "readers_for",
]


class Reader(Protocol):
    """Gets text off a photo."""

    def read(self, image: np.ndarray) -> list[TextLine]:
        """The text lines of an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        ...


class BatchReader(Reader, Protocol):
    """Gets text off many photos together."""

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each of several upright photos, as `read` gives them.

        Args:
            room: the fraction that there is of the limits of line_limits.
        """
        ...


class NullReader:
    """Reads nothing: `builtin` of weights without a text detector and a text recognizer."""

    def read(self, image: np.ndarray) -> list[TextLine]:
        """No lines."""
        return []

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """No lines on any photo."""
        return [[] for _ in images]


# Pixels of the longer side of the built-in detector's input. A line that it misses is lost to `crops` too; `builtin`
# takes the least time (BENCHMARKS.md has the recall at each size).
CROPS_MAX_SIDE, BUILTIN_MAX_SIDE = 640, 512
# Pixels of the longer side up to which text of 12 pixels is found; a photo of a longer shape is read in tiles.
PPOCR_TILE_SIDE, CROPS_TILE_SIDE, BUILTIN_TILE_SIDE = 1600, 2 * CROPS_MAX_SIDE, 2 * BUILTIN_MAX_SIDE


def _ppocr(network: Parts, device: str, threads: int, sizes: BatchSizes) -> BatchReader:
    return TiledReader(PPOCRReader(threads), PPOCR_TILE_SIDE)


def _crops(network: Parts, device: str, threads: int, sizes: BatchSizes) -> BatchReader:
    reader = _two_stages(network, device, threads, sizes, CROPS_MAX_SIDE, SecondReading(threads))
    return TiledReader(reader, CROPS_TILE_SIDE)


def _builtin(network: Parts, device: str, threads: int, sizes: BatchSizes) -> BatchReader:
    if network.text_detector is None or network.text_recognizer is None:
        return NullReader()
    return TiledReader(_two_stages(network, device, threads, sizes, BUILTIN_MAX_SIDE), BUILTIN_TILE_SIDE)


def _two_stages(
    network: Parts,
    device: str,
    threads: int,
    sizes: BatchSizes,
    max_side: int,
    read_again: SecondReading | None = None,
) -> TwoStageReader:
    assert network.text_detector is not None and network.text_recognizer is not None  # see readers_for
    detector = TextDetector(network.text_detector, device, threads, sizes.detector)
    recognizer = BuiltinRecognizer(network.text_recognizer, device, threads, sizes.recognizer)
    return TwoStageReader(detector.detect, recognizer, max_side, read_again)


MAKERS: Mapping[str, Callable[[Parts, str, int, BatchSizes], BatchReader]] = {
    "ppocr": _ppocr,
    "crops": _crops,
    "builtin": _builtin,
}
READERS = tuple(MAKERS)
ALIASES = {"none": "builtin"}
DEFAULT_READER: Final = "crops"
"""F1 within 0.01 of that of `ppocr`, in 0.57 of its time (BENCHMARKS.md)."""


def canonical_reader(name: str) -> str:
    """The name of READERS that a request's name stands for; unknown names stay as they are."""
    return ALIASES.get(name, name)


def readers_for(network: Parts) -> tuple[str, ...]:
    """The names of the readers that this network can work with."""
    has_ocr = network.text_detector is not None and network.text_recognizer is not None
    return tuple(name for name in READERS if name != "crops" or has_ocr)


def make_reader(name: str, network: Parts, device: str, threads: int, sizes: BatchSizes | None = None) -> BatchReader:
    """The reader of this canonical name.

    Args:
        network: whose text detector and text recognizer a reader may use, and the device that it is on.
        sizes: of batches; None: those for the device.

    Raises:
        BadRequest: there is none for this network; the message lists those there are.
    """
    known = readers_for(network)
    if name not in known:
        hint = "; `crops` needs weights with a text detector and a text recognizer" if name in MAKERS else ""
        raise BadRequest(f"unknown reader {name[:40]!r}; known are {', '.join(known)}{hint}")
    return MAKERS[name](network, device, threads, sizes or batch_sizes_for(device))
