"""Photos and their text come from OCR caches."""

import numpy as np
import pytest

from resformer.train.ocr.ocr_records import load_photo, read_ocr_sources
from resformer.train.settings.sources import OcrSource


def test_photos_that_are_missing_are_left_out(source: OcrSource) -> None:
    records = read_ocr_sources([source])
    assert [record.name for record in records] == [f"{i}.png" for i in range(16)]
    assert all(record.photo == source.photos / record.name and len(record.lines) == 1 for record in records)


def test_photos_may_be_smaller_than_those_of_the_cache(source: OcrSource) -> None:
    record = read_ocr_sources([source])[0]
    photo, to_photo = load_photo(record)
    assert photo.shape == (320, 320, 3)
    assert to_photo == 0.5
    x0, y0, x1, y1 = (round(v * to_photo) for v in record.lines[0].box)
    assert photo[y0:y1, x0:x1].min() < 30
    background = np.median(photo, axis=(0, 1))
    photo[y0:y1, x0:x1] = background
    assert photo.min() == pytest.approx(background.min(), abs=1)
