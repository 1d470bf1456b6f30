"""Reads a photo in two stages: the built-in detector finds the text lines, a recognizer reads them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from resformer.model.images.resize import resize_for_detector
from resformer.model.ocr.detection_postprocess import DetectedLine, extract_lines
from resformer.model.ocr.line_crop import ppocr_crop
from resformer.model.ocr.line_directions import read_both_ways
from resformer.model.ocr.line_limits import likeliest
from resformer.model.ocr.lookalikes import restore_characters
from resformer.model.ocr.ppocr_recognizer import PPOCRRecognizer, has_digit
from resformer.model.ocr.recognizer import LineRecognizer
from resformer.model.ocr.text_line import RecognizedText, TextLine
from resformer.model.runtime.stage_times import stage

__all__ = ["SecondReading", "TwoStageReader"]

NUM_LARGEST = 6  # lines of the greatest height, which hold the brand and the name of the product
DOUBTFUL_SCORE = 0.95  # below, PP-OCR reads a line with a digit and one of the largest again
LOST_SCORE = 0.5  # below, PP-OCR reads a line again even where no digit was read
MIN_TEXT_SCORE = 0.5  # below, a recognizer guesses
DIGIT_PRIORITY = 3.0  # a line with digits is read before one of less than so many times its height
# Of the lines that PP-OCR reads again, the sum of lengths in their own heights: twice what the busiest photos have.
MAX_SECOND_ASPECT = 256.0


class SecondReading:
    """PP-OCR's small recognizer, for doubtful lines that matter; the text with the higher score counts.

    Args:
        threads: how many lines are read at once.
    """

    def __init__(self, threads: int):
        self._small = PPOCRRecognizer("small")
        self._pool = ThreadPoolExecutor(threads)

    def __call__(
        self,
        images: Sequence[np.ndarray],
        lines: Sequence[Sequence[DetectedLine]],
        texts: Sequence[Sequence[RecognizedText]],
        *,
        room: float = 1.0,
        shared: bool = False,
    ) -> list[list[RecognizedText]]:
        """The texts of the lines on each of several photos, as they are now.

        The largest doubtful lines of a photo are read again, until they have MAX_SECOND_ASPECT.

        Args:
            images: uint8 RGB (H, W, 3).
            lines, texts: of each photo, as they were read first.
            room: the fraction of the limit that there is.
            shared: whether the photos are parts of one, which share its limit.
        """
        improved = [list(on_photo) for on_photo in texts]
        found = [_doubtful(*of_photo) for of_photo in zip(lines, texts, strict=True)]
        chosen = likeliest(
            [[lines[p][i].height for i in on_photo] for p, on_photo in enumerate(found)],
            [[lines[p][i].aspect for i in on_photo] for p, on_photo in enumerate(found)],
            max_total=MAX_SECOND_ASPECT,
            room=room,
            shared=shared,
        )
        doubtful = [(p, found[p][n]) for p, on_photo in enumerate(chosen) for n in on_photo]

        def read(at: tuple[int, int]) -> RecognizedText:
            p, i = at
            with stage("recognise"):
                return self._small(ppocr_crop(images[p], lines[p][i]))

        again = self._pool.map(read, doubtful)
        for (p, i), text in zip(doubtful, again, strict=True):
            if text[1] >= texts[p][i][1]:
                improved[p][i] = text
        return improved


class TwoStageReader:
    """Detects text lines, and reads those that are likeliest to matter: see line_limits.

    Args:
        detect: photos, uint8 RGB (H, W, 3), to their score maps.
        recognize: lines to text.
        max_side: pixels of the longer side that photos are resized to for the detector.
        read_again: improves the text of lines.
    """

    def __init__(
        self,
        detect: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]],
        recognize: LineRecognizer,
        max_side: int,
        read_again: SecondReading | None = None,
    ):
        self._detect = detect
        self._recognize = recognize
        self._max_side = max_side
        self._read_again = read_again

    def with_max_side(self, max_side: int) -> "TwoStageReader":
        """The same reader with another size for the detector."""
        return TwoStageReader(self._detect, self._recognize, max_side, self._read_again)

    def read(self, image: np.ndarray) -> list[TextLine]:
        """The text lines of an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        return self.read_many([image])[0]

    def read_many(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each of several upright photos, see `read` and BatchReader."""
        return self._read(images, room, shared=False)

    def read_parts(self, images: Sequence[np.ndarray], room: float = 1.0) -> list[list[TextLine]]:
        """The text lines of each part of one photo: together they have as many as a photo may have."""
        return self._read(images, room, shared=True)

    def _read(self, images: Sequence[np.ndarray], room: float, *, shared: bool) -> list[list[TextLine]]:
        with stage("detect"):
            resized = [resize_for_detector(image, self._max_side) for image in images]
            maps = self._detect([photo for photo, _ in resized])
            found = [extract_lines(*of_photo) for of_photo in zip(maps, (scale for _, scale in resized), strict=True)]
            detected = _likeliest_lines(found, room, shared)
        with stage("recognise"):
            read = read_both_ways(images, detected, self._recognize)
        lines, texts = [lines for lines, _ in read], [texts for _, texts in read]
        if self._read_again:
            texts = self._read_again(images, lines, texts, room=room, shared=shared)
        return [_text_lines(*of_photo) for of_photo in zip(lines, texts, strict=True)]


def _likeliest_lines(found: Sequence[Sequence[DetectedLine]], room: float, shared: bool) -> list[list[DetectedLine]]:
    """The lines of each photo that are read, from top to bottom: the largest, and rather those with digits."""
    kept = likeliest(
        [[line.height * (DIGIT_PRIORITY if line.digit > 0.5 else 1) for line in on_photo] for on_photo in found],
        [[line.aspect for line in on_photo] for on_photo in found],
        room=room,
        shared=shared,
    )
    return [
        sorted((on_photo[i] for i in indices), key=lambda line: tuple(line.corners.mean(axis=0)[::-1]))
        for on_photo, indices in zip(found, kept, strict=True)
    ]


def _doubtful(lines: Sequence[DetectedLine], texts: Sequence[RecognizedText]) -> list[int]:
    """The lines of a photo that are worth a second reading."""
    largest = np.argsort([-line.height for line in lines])[:NUM_LARGEST]
    return [
        i
        for i, (text, score) in enumerate(texts)
        if score < DOUBTFUL_SCORE and (has_digit(text) or i in largest or score < LOST_SCORE)
    ]


def _text_lines(lines: Sequence[DetectedLine], texts: Sequence[RecognizedText]) -> list[TextLine]:
    restored = restore_characters([text for text, _ in texts])
    return [
        TextLine.from_reading_order(line.corners, text, score)
        for line, text, (_, score) in zip(lines, restored, texts, strict=True)
        if text.strip() and score >= MIN_TEXT_SCORE
    ]
