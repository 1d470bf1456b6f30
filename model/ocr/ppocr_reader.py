"""Every text line on a photo, detected and recognized by PP-OCR."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from resformer.model.ocr.line_crop import ppocr_crop
from resformer.model.ocr.line_limits import likeliest
from resformer.model.ocr.line_shape import LineShape
from resformer.model.ocr.ppocr_detector import PPOCRDetector
from resformer.model.ocr.ppocr_engine import ENGINE_SETTINGS, make_engine, thread_setting
from resformer.model.ocr.ppocr_recognizer import PPOCRRecognizer, has_digit
from resformer.model.ocr.text_line import TextLine
from resformer.model.runtime.stage_times import stage

__all__ = ["PPOCRReader"]

DOUBTFUL_SCORE = 0.95  # below, the small recognizer reads a line again that the tiny one has read
RETRY_SCORE = 0.8  # below, the small one reads a line with a digit once more from a longer crop
MIN_TEXT_SCORE = 0.5  # the package's own threshold
# Heights by which a crop is lengthened at both ends: tight crops lose a last letter ("8 C" of "8 CM").
EXTRA_LENGTH = 0.1
# The sum of lengths, in their own heights, of all lines that are read, of those that the small recognizer reads, and of
# those that it reads once more. Of a hundred catalogue photos two have more than the first, three more than the second.
MAX_FIRST_ASPECT, MAX_SECOND_ASPECT, MAX_RETRY_ASPECT = 640.0, 160.0, 32.0


@dataclass(frozen=True)
class _Line:
    """A line on a part of a photo, and what was read last.

    Attributes:
        image: the part, uint8 RGB (H, W, 3).
    """

    image: np.ndarray
    shape: LineShape
    text: str = ""
    score: float = 0.0


class PPOCRReader:
    """PP-OCRv6 on ONNX Runtime: the tiny detector, both recognizers, and the 180-degree classifier.

    Args:
        threads: of one photo.
    """

    def __init__(self, threads: int):
        self._detector = PPOCRDetector(threads)
        self._classifier = make_engine({**ENGINE_SETTINGS, **thread_setting(threads)})
        self._tiny, self._small = PPOCRRecognizer("tiny"), PPOCRRecognizer("small")
        self._pool = ThreadPoolExecutor(threads)

    def read(self, image: np.ndarray) -> list[TextLine]:
        """The text lines of an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        return self.read_parts([image])[0]

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each of several upright photos, see BatchReader; the engine takes one at a time."""
        return [self.read_parts([image], room)[0] for image in images]

    def read_parts(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each part of one photo: together they have as many as a photo may have."""
        with stage("detect"):
            found = self._detector.detect(images)
        kept = likeliest(
            [[line.height for line in on_part] for on_part in found],
            [[line.aspect for line in on_part] for on_part in found],
            max_total=MAX_FIRST_ASPECT,
            room=room,
            shared=True,
        )
        lines = [_Line(images[p], found[p][i]) for p, indices in enumerate(kept) for i in indices]
        with stage("recognise"):
            read = iter(self._read_lines(lines, room))
        return [_text_lines([next(read) for _ in indices], image) for image, indices in zip(images, kept, strict=True)]

    def _read_lines(self, lines: Sequence[_Line], room: float) -> list[_Line]:
        """The lines with their text, in their order."""
        read = list(self._pool.map(self._read_first, lines))
        # The largest of those with a digit and of doubtful ones.
        doubtful = [i for i, line in enumerate(read) if line.score < DOUBTFUL_SCORE or has_digit(line.text)]
        again = _largest(read, doubtful, room * MAX_SECOND_ASPECT)
        turned = self._upright([read[i] for i in again])
        for i, line in zip(again, self._pool.map(self._read_again, turned), strict=True):
            read[i] = line
        # Where no digit was read, a longer crop hardly ever has one.
        lost = [i for i in again if read[i].score < RETRY_SCORE and (has_digit(read[i].text) or not read[i].text)]
        longer = _largest(read, lost, room * MAX_RETRY_ASPECT)
        for i, line in zip(longer, self._pool.map(self._read_longer, [read[i] for i in longer]), strict=True):
            read[i] = max(read[i], line, key=lambda line: line.score)
        return read

    def _upright(self, lines: Sequence[_Line]) -> list[_Line]:
        """The lines, those turned that the classifier finds upside down."""
        if not lines:
            return []
        _, classified = self._classifier.cls_and_rotate([ppocr_crop(line.image, line.shape) for line in lines])
        threshold = self._classifier.text_cls.cls_thresh
        return [
            replace(line, shape=line.shape.upside_down()) if label == "180" and score > threshold else line
            for line, (label, score) in zip(lines, classified.cls_res, strict=True)
        ]

    def _read_first(self, line: _Line) -> _Line:
        return _read(line, line.shape, self._tiny)

    def _read_again(self, line: _Line) -> _Line:
        """What the small recognizer reads. The classifier errs on short vertical text, which is read both ways."""
        ways = [line.shape, line.shape.upside_down()] if line.shape.is_vertical else [line.shape]
        return max((replace(_read(line, way, self._small), shape=way) for way in ways), key=lambda line: line.score)

    def _read_longer(self, line: _Line) -> _Line:
        return _read(line, line.shape.longer(EXTRA_LENGTH), self._small)


def _read(line: _Line, shape: LineShape, recognizer: PPOCRRecognizer) -> _Line:
    text, score = recognizer(ppocr_crop(line.image, shape))
    return replace(line, text=text, score=score)


def _largest(lines: Sequence[_Line], indices: Sequence[int], max_total: float) -> list[int]:
    """The largest of some lines, as many as fit, in their order; a vertical one is read both ways."""
    shapes = [lines[i].shape for i in indices]
    aspects = [shape.aspect * (2 if shape.is_vertical else 1) for shape in shapes]
    (kept,) = likeliest([[shape.height for shape in shapes]], [aspects], max_total=max_total)
    return [indices[n] for n in kept]


def _text_lines(lines: Sequence[_Line], image: np.ndarray) -> list[TextLine]:
    """The lines on a part of a photo, uint8 (H, W, 3), with corners inside it."""
    limits = np.array(image.shape[1::-1]) - 1.0
    return [
        TextLine.from_reading_order(np.clip(line.shape.corners, 0.0, limits), line.text, line.score)
        for line in lines
        if line.text.strip() and line.score >= MIN_TEXT_SCORE
    ]
