"""Only the lines that can matter: found by the network's own stem, then read."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from resformer.model.images.resize import fitted
from resformer.model.ocr.detection_postprocess import Strip, find_strips
from resformer.model.ocr.line_crop import CUT_HEIGHT, cut
from resformer.model.ocr.ppocr_recognizer import Recogniser, Text, has_digit
from resformer.model.ocr.text_line import Line

__all__ = ["CloserReading", "CropsReader", "Reading"]

WANTED = 0.05  # least sureness of a digit, a unit or a cue word in a line
SURE = 0.95  # the network's own reading of a line with a digit, above which nobody reads it again
LOST = 0.5  # below, it is read again even where no digit was seen
LEAST_SCORE = 0.5  # below, a recogniser guesses


class Reading(Protocol):
    """Strips of print to text."""

    def __call__(self, image: np.ndarray, strips: Sequence[Strip]) -> list[Text]:
        """What the strips of a photo say, uint8 RGB (H, W, 3)."""
        ...


class CloserReading:
    """By the network itself, and once more by PP-OCR what holds a digit, unless the network is sure of it.

    Of two readings the surer one is taken.

    Args:
        own: the network's own reading.
        threads: how many strips are read at once.
    """

    def __init__(self, own: Reading, threads: int):
        self._own = own
        self._small = Recogniser("small")
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self, image: np.ndarray, strips: Sequence[Strip]) -> list[Text]:
        texts = self._own(image, strips)
        doubtful = [i for i, (text, score) in enumerate(texts) if score < SURE and (has_digit(text) or score < LOST)]
        again = self._pool.map(lambda i: self._small(_cut(image, strips[i])), doubtful)
        for i, text in zip(doubtful, again, strict=True):
            if text[1] >= texts[i][1]:
                texts[i] = text
        return texts


class CropsReader:
    """Reads the strips of a photo on which the maps of print see a digit, a unit or a cue word.

    Args:
        find: a photo, uint8 (H, W, 3), to its maps.
        reading: of the strips.
        longest: pixels of the longer side that the photo is looked at with.
    """

    def __init__(self, find: Callable[[np.ndarray], np.ndarray], reading: Reading, longest: int):
        self._find = find
        self._reading = reading
        self._longest = longest

    def at(self, longest: int) -> "CropsReader":
        """The same reader that looks at photos in another size."""
        return CropsReader(self._find, self._reading, longest)

    def read(self, image: np.ndarray) -> list[Line]:
        """The lines of print that can matter on an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        sized, scale = fitted(image, self._longest)
        found = [s for s in find_strips(self._find(sized), scale) if max(s.digit, s.cue) > WANTED]
        found.sort(key=lambda strip: tuple(strip.corners.mean(axis=0)[::-1]))
        texts = self._reading(image, found)
        return [
            Line.read_along(strip.corners, text, score)
            for strip, (text, score) in zip(found, texts, strict=True)
            if text.strip() and score >= LEAST_SCORE
        ]


def _cut(image: np.ndarray, strip: Strip) -> np.ndarray:
    """As the engine takes strips."""
    return np.ascontiguousarray(cut(image, strip.corners, CUT_HEIGHT)[:, :, ::-1])
