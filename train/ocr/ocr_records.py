"""Photos with the text on them, from OCR caches."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from resformer.model.images.loading import decode_photo
from resformer.train.data.quantity_records import Record, read_ocr_cache
from resformer.train.settings.sources import OcrSource

__all__ = ["load_photo", "read_ocr_sources"]


def read_ocr_sources(sources: Iterable[OcrSource]) -> list[Record]:
    """The photos of the OCR caches in their order, without those that are missing from the folder of photos."""
    return [
        replace(record, photo=source.photos / name)
        for source in sources
        for name, record in read_ocr_cache(source.ocr).items()
        if (source.photos / name).is_file()
    ]


def load_photo(record: Record) -> tuple[np.ndarray, float]:
    """A record's photo, uint8 (H, W, 3), and how many of its pixels a pixel of the record's text lines stands for.

    An OCR cache may be of a larger version of the photo.
    """
    assert record.photo is not None
    photo = decode_photo(record.photo.read_bytes())
    return photo, photo.shape[1] / record.width
