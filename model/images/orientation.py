"""Which way up a photo is stored, by its EXIF or XMP metadata."""

import re
import struct

import numpy as np

__all__ = ["as_stored", "exif_orientation", "orientation_of", "xmp_orientation"]

TAG = 0x0112
SHORT, LONG = 3, 4
MAX_TAGS = 1000
MAX_XMP = 1_000_000  # bytes that are looked through
XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def orientation_of(exif: bytes | None, xmp: bytes | None) -> int:
    """The EXIF orientation, 1 to 8, which XMP may state where EXIF does not; 1, upright, where neither does."""
    return exif_orientation(exif or b"") or xmp_orientation(xmp or b"") or 1


def exif_orientation(exif: bytes) -> int | None:
    """The orientation in a block of EXIF; None where it has none, or is damaged.

    Only the first MAX_TAGS tags of the first directory are looked at, and no other value is read.
    """
    start = 6 if exif.startswith(b"Exif\0\0") else 0
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[start : start + 4])
    try:
        if order is None:
            return None
        directory = start + struct.unpack_from(f"{order}I", exif, start + 4)[0]
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        for i in range(min(count, MAX_TAGS)):
            at = directory + 2 + 12 * i
            tag, kind, _ = struct.unpack_from(f"{order}HHI", exif, at)
            if tag == TAG and kind in (SHORT, LONG):
                (value,) = struct.unpack_from(order + ("H" if kind == SHORT else "I"), exif, at + 8)
                return value if 1 <= value <= 8 else None
    except struct.error:
        return None
    return None


def xmp_orientation(xmp: bytes) -> int | None:
    """The orientation in a block of XMP; None where it has none."""
    found = XMP.search(xmp, 0, MAX_XMP)
    return int(found[1]) if found else None


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels of an upright photo (H, W, 3) in the order of its file, as a view."""
    match orientation:
        case 2:
            return upright[:, ::-1]
        case 3:
            return upright[::-1, ::-1]
        case 4:
            return upright[::-1]
        case 5:
            return upright.swapaxes(0, 1)
        case 6:
            return np.rot90(upright)
        case 7:
            return upright.swapaxes(0, 1)[::-1, ::-1]
        case 8:
            return np.rot90(upright, -1)
        case _:
            return upright
