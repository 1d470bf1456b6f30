"""Readers find the print on a photo. Where the answer is chosen nobody knows who read it."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np

from resformer.model.errors import BadRequest
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.detector import PrintFinder
from resformer.model.ocr.ppocr_reader import PpOcrReader
from resformer.model.ocr.recognizer import OwnReading
from resformer.model.ocr.text_line import Line
from resformer.model.ocr.two_stage_reader import CloserReading, CropsReader

__all__ = ["DEFAULT_READER", "READERS", "NoReader", "Reader", "make_reader", "readers_for"]


class Reader(Protocol):
    """Anything that reads."""

    def read(self, image: np.ndarray) -> list[Line]:
        """The lines of print on an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        ...


class NoReader:
    """Reads nothing: a network that cannot read looks at the picture alone."""

    def read(self, image: np.ndarray) -> list[Line]:
        return []


# Pixels of the longer side that photos are looked at with. What the finder of `crops` misses no engine can read; `none`
# is for who wants an answer in no time (BENCHMARKS.md has what each size finds).
CROPS_LONGEST, NONE_LONGEST = 640, 512


def _crops(network: Resformer, device: str, threads: int) -> Reader:
    reading = CloserReading(OwnReading(network, device, threads), threads)
    return CropsReader(PrintFinder(network, device, threads), reading, CROPS_LONGEST)


def _none(network: Resformer, device: str, threads: int) -> Reader:
    if not _finds_and_reads(network):
        return NoReader()
    return CropsReader(PrintFinder(network, device, threads), OwnReading(network, device, threads), NONE_LONGEST)


MAKERS: Mapping[str, Callable[[Resformer, str, int], Reader]] = {
    "ppocr": lambda network, device, threads: PpOcrReader(threads),
    "crops": _crops,
    "none": _none,
}
READERS = tuple(MAKERS)
DEFAULT_READER: Final = "crops"
"""F1 within 0.01 of that of `ppocr`, in 0.57 of its time (BENCHMARKS.md)."""


def _finds_and_reads(network: Resformer) -> bool:
    return network.maps is not None and network.reading is not None


def readers_for(network: Resformer) -> tuple[str, ...]:
    """The names of the readers that this network can work with."""
    return tuple(name for name in READERS if name != "crops" or _finds_and_reads(network))


def make_reader(name: str, network: Resformer, device: str, threads: int) -> Reader:
    """The reader of this name.

    Args:
        network: whose maps of print and reading a reader may use, and the device that it is on.

    Raises:
        BadRequest: There is none for this network; the message lists those there are.
    """
    known = readers_for(network)
    if name not in known:
        lacking = "; crops needs weights with maps of print and a reading" if name in MAKERS else ""
        raise BadRequest(f"unknown reader {name!r}; known are {', '.join(known)}{lacking}")
    return MAKERS[name](network, device, threads)
