"""Reads a photo in two stages: the built-in detector finds the text lines, a recognizer reads them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from resformer.model.images.resize import resize_for_detector
from resformer.model.ocr.detection_postprocess import DetectedLine, extract_lines
from resformer.model.ocr.line_crop import PPOCR_CROP_HEIGHT, crop_line
from resformer.model.ocr.line_directions import read_both_ways
from resformer.model.ocr.lookalikes import restore_characters
from resformer.model.ocr.ppocr_recognizer import PPOCRRecognizer, has_digit
from resformer.model.ocr.recognizer import LineRecognizer
from resformer.model.ocr.text_line import RecognizedText, TextLine

__all__ = ["SecondReading", "TwoStageReader"]

NUM_LARGEST = 6  # lines of the greatest height, which hold the brand and the name of the product
DOUBTFUL_SCORE = 0.95  # below, PP-OCR reads a line with a digit and one of the largest again
LOST_SCORE = 0.5  # below, PP-OCR reads a line again even where no digit was read
MIN_TEXT_SCORE = 0.5  # below, a recognizer guesses


class SecondReading:
    """PP-OCR's small recognizer, for doubtful lines that matter; the text with the higher score counts.

    Args:
        threads: how many lines are read at once.
    """

    def __init__(self, threads: int):
        self._small = PPOCRRecognizer("small")
        self._pool = ThreadPoolExecutor(threads)

    def __call__(
        self, image: np.ndarray, lines: Sequence[DetectedLine], texts: Sequence[RecognizedText]
    ) -> list[RecognizedText]:
        """The texts of detected lines on a photo, uint8 RGB (H, W, 3), as they were read first and as they are now."""
        improved = list(texts)
        largest = np.argsort([-line.height for line in lines])[:NUM_LARGEST]
        doubtful = [
            i
            for i, (text, score) in enumerate(texts)
            if score < DOUBTFUL_SCORE and (has_digit(text) or i in largest or score < LOST_SCORE)
        ]
        again = self._pool.map(lambda i: self._small(_bgr_crop(image, lines[i])), doubtful)
        for i, text in zip(doubtful, again, strict=True):
            if text[1] >= texts[i][1]:
                improved[i] = text
        return improved


class TwoStageReader:
    """Detects text lines, and reads them.

    Args:
        detect: a photo, uint8 RGB (H, W, 3), to score maps.
        recognize: lines to text.
        max_side: pixels of the longer side that photos are resized to for the detector.
        read_again: improves the text of lines.
    """

    def __init__(
        self,
        detect: Callable[[np.ndarray], np.ndarray],
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
        resized, scale = resize_for_detector(image, self._max_side)
        lines = extract_lines(self._detect(resized), scale)
        lines.sort(key=lambda line: tuple(line.corners.mean(axis=0)[::-1]))
        lines, texts = read_both_ways(image, lines, self._recognize)
        if self._read_again:
            texts = self._read_again(image, lines, texts)
        restored = restore_characters([text for text, _ in texts])
        return [
            TextLine.from_reading_order(line.corners, text, score)
            for line, text, (_, score) in zip(lines, restored, texts, strict=True)
            if text.strip() and score >= MIN_TEXT_SCORE
        ]


def _bgr_crop(image: np.ndarray, line: DetectedLine) -> np.ndarray:
    """The line as PP-OCR's recognizers take it."""
    return np.ascontiguousarray(crop_line(image, line.corners, PPOCR_CROP_HEIGHT)[:, :, ::-1])
