"""Readers find the print on a photo. Where the answer is chosen nobody knows who read it."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from model.errors import BadRequest
from model.network import Resformer
from model.readers.crops import CropsReader, PpOcrReading
from model.readers.finder import PrintFinder
from model.readers.own import OwnReading
from model.readers.ppocr import PpOcrReader
from model.words import Line

__all__ = ["READERS", "NoReader", "Reader", "make_reader", "readers_for"]


class Reader(Protocol):
    """Anything that reads."""

    def read(self, image: np.ndarray) -> list[Line]:
        """The lines of print on an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        ...


class NoReader:
    """Reads nothing: a network that cannot read looks at the picture alone."""

    def read(self, image: np.ndarray) -> list[Line]:
        return []


MAKERS: Mapping[str, Callable[[Resformer, str, int], Reader]] = {
    "ppocr": lambda network, device, threads: PpOcrReader(threads),
    "crops": lambda network, device, threads: CropsReader(PrintFinder(network, device, threads), PpOcrReading(threads)),
    "none": lambda network, device, threads: _without_engine(network, device, threads),
}
READERS = tuple(MAKERS)


def _without_engine(network: Resformer, device: str, threads: int) -> Reader:
    if network.maps is None or network.reading is None:
        return NoReader()
    return CropsReader(PrintFinder(network, device, threads), OwnReading(network, device, threads))


def readers_for(network: Resformer) -> tuple[str, ...]:
    """The names of the readers that this network can work with."""
    return tuple(name for name in READERS if name != "crops" or network.maps is not None)


def make_reader(name: str, network: Resformer, device: str, threads: int) -> Reader:
    """The reader of this name.

    Args:
        network: whose maps of print a reader may use, and the device that it is on.

    Raises:
        BadRequest: There is none for this network; the message lists those there are.
    """
    known = readers_for(network)
    if name not in known:
        without_maps = "; crops needs weights with maps of print" if name in MAKERS else ""
        raise BadRequest(f"unknown reader {name!r}; known are {', '.join(known)}{without_maps}")
    return MAKERS[name](network, device, threads)
