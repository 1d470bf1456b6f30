"""Only the lines that can matter: found by the network's own stem, read by PP-OCR's recognisers."""

from collections.abc import Callable

import numpy as np

from model.readers.recognisers import Recognisers, closer
from model.strips import cut, find_strips, fitted
from model.words import Line

__all__ = ["CropsReader"]

LONGEST = 512  # pixels that the stem looks at a photo with
WANTED = 0.05  # least sureness of a digit, a unit or a cue word in a line
LEAST_SCORE = 0.5  # below, a recogniser guesses


class CropsReader:
    """Reads the strips of a photo on which the maps of print see a digit, a unit or a cue word.

    Args:
        find: a photo, uint8 (H, W, 3), to its maps.
        threads: how many strips are read at once.
    """

    def __init__(self, find: Callable[[np.ndarray], np.ndarray], threads: int):
        self._find = find
        self._recognisers = Recognisers(threads)

    def read(self, image: np.ndarray) -> list[Line]:
        """The lines of print that can matter on an upright photo, uint8 RGB (height, width, 3), from top to bottom."""
        sized, scale = fitted(image, LONGEST)
        found = [s for s in find_strips(self._find(sized), scale) if max(s.digit, s.cue) > WANTED]
        found.sort(key=lambda strip: tuple(strip.corners.mean(axis=0)[::-1]))
        strips = [np.ascontiguousarray(cut(image, strip.corners)[:, :, ::-1]) for strip in found]
        texts = self._recognisers.skim(strips)
        doubtful = closer(texts)
        again = self._recognisers.each(lambda i: self._recognisers.read(strips[i]), doubtful)
        for i, text in zip(doubtful, again, strict=True):
            texts[i] = text
        return [
            _line(strip.corners, text, score)
            for strip, (text, score) in zip(found, texts, strict=True)
            if text.strip() and score >= LEAST_SCORE
        ]


def _line(corners: np.ndarray, text: str, score: float) -> Line:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    if abs(b[1] - a[1]) > abs(b[0] - a[0]):
        upright = Line((d, a, b, c), text, score)
        # Too short to be told from a level one, it would be read from a wrong corner.
        if upright.vertical:
            return upright
    return Line((a, b, c, d), text, score)
