"""Hostile photos: files that cost much time or memory to decode, damaged ones, and what is no photo."""

from resformer.scripts.hostile.case import Case
from resformer.scripts.hostile.photos_jpeg import JPEG_CASES
from resformer.scripts.hostile.photos_other import OTHER_CASES
from resformer.scripts.hostile.photos_png import PNG_CASES
from resformer.scripts.hostile.photos_tiff import TIFF_CASES

__all__ = ["CASES"]

CASES: tuple[Case, ...] = (*JPEG_CASES, *PNG_CASES, *TIFF_CASES, *OTHER_CASES)
