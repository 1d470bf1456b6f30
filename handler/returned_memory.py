"""Gives memory back that a large photo took: the allocator of the C library keeps it in pieces otherwise."""

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path

__all__ = ["ReturnedMemory"]

ALLOWED_BYTES = 64 << 20
# Pieces that are given back as soon as they are free; only large photos take them. Smaller ones stay with the
# allocator, which takes a tenth less time than asking the system for each (docs/experiments.md).
LARGE_PIECE_BYTES = 16 << 20
# mallopt(3); having set one, the C library adapts none of them any more.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
PAGE_BYTES = mmap.PAGESIZE
STATM = Path("/proc/self/statm")


class ReturnedMemory:
    """Keeps the memory of a process near what it has when nothing is asked.

    Giving back takes some 20 ms after a photo of many megapixels; after an ordinary one nothing is done. Making one
    sets the allocator of the whole process, where it is glibc's.

    Args:
        trim: Gives free memory back to the system; None is that of glibc, or nothing where the library is another.
    """

    def __init__(self, trim: Callable[[], object] | None = None):
        _give_large_pieces_back()
        self._trim = trim or _glibc_trim()
        self._usual = resident_bytes()

    def give_back(self) -> None:
        """Gives free memory back where the process has much more than usual."""
        now = resident_bytes()
        if self._trim is not None and now > self._usual + ALLOWED_BYTES:
            self._trim()
            # What stays is needed, such as a reader that was loaded since, or the body of the request.
            self._usual = resident_bytes()
        else:
            self._usual = min(self._usual, now)


def resident_bytes() -> int:
    """Memory that this process has in RAM."""
    return int(STATM.read_text().split()[1]) * PAGE_BYTES


def _give_large_pieces_back() -> None:
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option:
        set_option(M_MMAP_THRESHOLD, LARGE_PIECE_BYTES)
        set_option(M_TRIM_THRESHOLD, ALLOWED_BYTES)


def _glibc_trim() -> Callable[[], object] | None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim else None
