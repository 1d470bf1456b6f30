"""Lines of print cut from photos, ready to be cut again at other places."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from resformer.model.images.loading import decode_photo
from resformer.model.ocr.charset import fold_to_charset
from resformer.model.ocr.line_crop import crop_line
from resformer.model.ocr.text_line import TextLine
from resformer.train.data.quantity_records import Record

__all__ = ["CutLine", "cut_lines"]

SURE = 0.9  # what a reader found with a lower score is not taken for true
AROUND = 0.5  # of its height, cut with a line to every side
TALLEST = 96  # pixels of a cut
QUALITY = 92  # of JPEG


@dataclass(frozen=True)
class CutLine:
    """A line of print with its surroundings.

    Attributes:
        packed: JPEG of the pixels.
        text: what it says, in the characters that the network reads.
    """

    packed: bytes
    text: str

    def open(self) -> tuple[np.ndarray, np.ndarray]:
        """Pixels, uint8 (H, W, 3), and the line's corners in them, float (4, 2)."""
        pixels = np.asarray(cv2.imdecode(np.frombuffer(self.packed, np.uint8), cv2.IMREAD_COLOR_RGB))
        height, width = pixels.shape[:2]
        margin = height * AROUND / (1 + 2 * AROUND)
        right, bottom = width - margin, height - margin
        return pixels, np.array([[margin, margin], [right, margin], [right, bottom], [margin, bottom]])


def cut_lines(records: Sequence[Record]) -> list[CutLine]:
    """The lines of photos that a reader was sure of and whose characters are all known."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [line for lines in pool.map(lambda record: list(_lines(record)), records) for line in lines]


def _lines(record: Record) -> Iterator[CutLine]:
    lines = list(_true(record.lines))
    if not lines:
        return
    assert record.photo is not None
    photo = decode_photo(record.photo.read_bytes())
    to_photo = photo.shape[1] / record.width  # words may have been read on a larger version
    for line, text in lines:
        corners = np.array(line.reading_corners) * to_photo
        a, b, c, d = corners
        along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
        width, height = float(np.hypot(*along)), float(np.hypot(*down))
        if width < 2 or height < 4:
            continue
        out, up = along / width * height * AROUND, down * AROUND
        wider = corners + np.stack([-out - up, out - up, out + up, -out + up])
        tall = min(TALLEST, round(height * (1 + 2 * AROUND)))
        pixels = crop_line(photo, wider, tall)
        _, packed = cv2.imencode(".jpg", pixels[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        yield CutLine(packed.tobytes(), text)


def _true(lines: Iterable[TextLine]) -> Iterator[tuple[TextLine, str]]:
    for line in lines:
        if line.score >= SURE and (text := fold_to_charset(line.text)):
            yield line, text
