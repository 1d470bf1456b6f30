"""Text lines of photos, which the recognizer is trained on."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from resformer.model.ocr.charset import fold_to_charset
from resformer.model.ocr.line_crop import crop_line
from resformer.train.data.quantity_records import Record
from resformer.train.ocr.line_geometry import LineAxes
from resformer.train.ocr.ocr_records import load_photo

__all__ = ["LabelledLine", "read_labelled_lines"]

MIN_SCORE = 0.9  # of text that is taken to be right
MIN_WIDTH, MIN_HEIGHT = 2, 4  # of a line on the photo, pixels
SURROUNDINGS = 0.5  # of a line's height, kept on every side of it, so that it can be cropped with jittered corners
MAX_HEIGHT = 96  # of a line with its surroundings, pixels
JPEG_QUALITY = 92


@dataclass(frozen=True)
class LabelledLine:
    """A text line with its surroundings.

    Attributes:
        jpeg: the encoded pixels.
        text: in characters of CHARSET.
    """

    jpeg: bytes
    text: str

    def decode(self) -> tuple[np.ndarray, np.ndarray]:
        """Pixels, uint8 (H, W, 3), and the line's corners on them, float (4, 2)."""
        pixels = np.asarray(cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB))
        height, width = pixels.shape[:2]
        margin = height * SURROUNDINGS / (1 + 2 * SURROUNDINGS)
        right, bottom = width - margin, height - margin
        return pixels, np.array([[margin, margin], [right, margin], [right, bottom], [margin, bottom]])


def read_labelled_lines(records: Sequence[Record]) -> list[LabelledLine]:
    """The lines of photos whose text is known with a high score and lies in CHARSET."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [line for lines in pool.map(lambda record: list(_lines_of(record)), records) for line in lines]


def _lines_of(record: Record) -> Iterator[LabelledLine]:
    folded = ((line, fold_to_charset(line.text)) for line in record.lines if line.score >= MIN_SCORE)
    labelled = [(line, text) for line, text in folded if text]
    if not labelled:
        return
    photo, to_photo = load_photo(record)
    for line, text in labelled:
        corners = np.array(line.reading_corners) * to_photo
        axes = LineAxes.from_corners(corners)
        if axes.width < MIN_WIDTH or axes.height < MIN_HEIGHT:
            continue
        right, down = axes.along * axes.height * SURROUNDINGS, axes.down * axes.height * SURROUNDINGS
        wider = corners + np.stack([-right - down, right - down, right + down, -right + down])
        pixels = crop_line(photo, wider, min(MAX_HEIGHT, round(axes.height * (1 + 2 * SURROUNDINGS))))
        _, jpeg = cv2.imencode(".jpg", pixels[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        yield LabelledLine(jpeg.tobytes(), text)
