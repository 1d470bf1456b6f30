"""Only the lines that can matter: found by the network's own stem, then read."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from model.readers.recognisers import Recognisers, Text, closer
from model.strips import CUT_HEIGHT, Strip, cut, find_strips, fitted
from model.words import Line

__all__ = ["CropsReader", "PpOcrReading", "Reading"]

LONGEST = 640  # pixels that the stem looks at a photo with
WANTED = 0.05  # least sureness of a digit, a unit or a cue word in a line
LEAST_SCORE = 0.5  # below, a recogniser guesses


class Reading(Protocol):
    """Strips of print to text."""

    def __call__(self, image: np.ndarray, strips: Sequence[Strip]) -> list[Text]:
        """What the strips of a photo say, uint8 RGB (H, W, 3)."""
        ...


class PpOcrReading:
    """By PP-OCR's recognisers: the tiny one everything, the small one what holds digits or is doubtful.

    Args:
        threads: how many strips are read at once.
    """

    def __init__(self, threads: int):
        self._recognisers = Recognisers(threads)

    def __call__(self, image: np.ndarray, strips: Sequence[Strip]) -> list[Text]:
        cuts = [_cut(image, strip) for strip in strips]
        texts = self._recognisers.skim(cuts)
        doubtful = closer(texts)
        again = self._recognisers.each(lambda i: self._recognisers.read(cuts[i]), doubtful)
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
        texts = self._reading(image, found)
        return [
            Line.read_along(strip.corners, text, score)
            for strip, (text, score) in zip(found, texts, strict=True)
            if text.strip() and score >= LEAST_SCORE
        ]


def _cut(image: np.ndarray, strip: Strip) -> np.ndarray:
    """As the engine takes strips."""
    return np.ascontiguousarray(cut(image, strip.corners, CUT_HEIGHT)[:, :, ::-1])
