"""Only the lines that can matter: found by the network's own stem, then read."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from model.readers.recognisers import Recognisers, Text, closer
from model.strips import CUT_HEIGHT, cut, find_strips, fitted
from model.words import Line

__all__ = ["CropsReader", "PpOcrReading", "Reading"]

LONGEST = 512  # pixels that the stem looks at a photo with
WANTED = 0.05  # least sureness of a digit, a unit or a cue word in a line
LEAST_SCORE = 0.5  # below, a recogniser guesses


class Reading(Protocol):
    """Strips of print to text.

    Attributes:
        height: of the strips in pixels.
    """

    height: int

    def __call__(self, strips: Sequence[np.ndarray]) -> list[Text]:
        """Strips uint8 RGB (height, W, 3)."""
        ...


class PpOcrReading:
    """By PP-OCR's recognisers.

    Args:
        threads: how many strips are read at once.
    """

    height = CUT_HEIGHT

    def __init__(self, threads: int):
        self._recognisers = Recognisers(threads)

    def __call__(self, strips: Sequence[np.ndarray]) -> list[Text]:
        strips = [np.ascontiguousarray(strip[:, :, ::-1]) for strip in strips]
        texts = self._recognisers.skim(strips)
        doubtful = closer(texts)
        again = self._recognisers.each(lambda i: self._recognisers.read(strips[i]), doubtful)
        for i, text in zip(doubtful, again, strict=True):
            texts[i] = text
        return texts


class CropsReader:
    """Reads the strips of a photo on which the maps of print see a digit, a unit or a cue word.

    Args:
        find: a photo, uint8 (H, W, 3), to its maps.
        reading: of the strips.
    """

    def __init__(self, find: Callable[[np.ndarray], np.ndarray], reading: Reading):
        self._find = find
        self._reading = reading

    def read(self, image: np.ndarray) -> list[Line]:
        """The lines of print that can matter on an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        sized, scale = fitted(image, LONGEST)
        found = [s for s in find_strips(self._find(sized), scale) if max(s.digit, s.cue) > WANTED]
        found.sort(key=lambda strip: tuple(strip.corners.mean(axis=0)[::-1]))
        texts = self._reading([cut(image, strip.corners, self._reading.height) for strip in found])
        return [
            Line.read_along(strip.corners, text, score)
            for strip, (text, score) in zip(found, texts, strict=True)
            if text.strip() and score >= LEAST_SCORE
        ]
