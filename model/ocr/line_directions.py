"""Which way lines and photos are to be read, where the detector is in doubt."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.recognizer import LineRecognizer
from resformer.model.ocr.text_line import RecognizedText, TextLine

__all__ = ["box_before_turns", "quarter_turns", "read_both_ways"]

DOUBTFUL_SCORE = 0.85  # below, a level line may be upside down
NUM_PROBES = 4  # doubtful level lines, the longest, that are tried before the others
MIN_PROBE_ASPECT = 1.5  # width by height of a probe; shorter lines look alike both ways
# A photo lies on its side or head where so many lines agree, of so many letters and digits that are read surely.
MIN_LINES, MIN_CHARACTERS, MIN_AGREEMENT, MIN_SCORE = 3, 15, 0.75, 0.9


def read_both_ways(
    image: np.ndarray, lines: Sequence[DetectedLine], recognize: LineRecognizer
) -> tuple[list[DetectedLine], list[RecognizedText]]:
    """The lines with their text, each in the direction in which it is read more surely.

    Vertical lines are tried both ways. Of level lines that are read doubtfully the longest are; where most of them are
    upside down, the others are tried, too.

    Args:
        image: uint8 RGB (H, W, 3).
    """
    kept, texts = list(lines), recognize(image, lines)

    def turn(indices: Sequence[int]) -> int:
        """Turns those of the lines that are read more surely so, and counts them."""
        turned = [lines[i].upside_down() for i in indices]
        better = [
            (i, line, text)
            for i, line, text in zip(indices, turned, recognize(image, turned), strict=True)
            if text[0].strip() and text[1] > texts[i][1]
        ]
        for i, line, text in better:
            kept[i], texts[i] = line, text
        return len(better)

    turn([i for i, line in enumerate(lines) if line.is_vertical])
    doubtful = [
        i
        for i, line in enumerate(lines)
        if not line.is_vertical and texts[i][1] < DOUBTFUL_SCORE and line.width > MIN_PROBE_ASPECT * line.height
    ]
    doubtful.sort(key=lambda i: -lines[i].width)
    probes, others = doubtful[:NUM_PROBES], doubtful[NUM_PROBES:]
    if turn(probes) > len(probes) / 2:
        turn(others)
    return kept, texts


def quarter_turns(lines: Sequence[TextLine]) -> int:
    """By how many quarter turns, counter-clockwise, a photo becomes upright; 0 unless most of its text agrees."""
    characters: Counter[int] = Counter()
    count: Counter[int] = Counter()
    for line in lines:
        length = sum(character.isalnum() for character in line.text)
        if line.score >= MIN_SCORE and length > 1:
            direction = _direction(line)
            characters[direction] += length
            count[direction] += 1
    if not characters:
        return 0
    turns, agreeing = characters.most_common(1)[0]
    sure = count[turns] >= MIN_LINES and agreeing >= MIN_CHARACTERS
    return turns if sure and agreeing >= MIN_AGREEMENT * characters.total() else 0


def box_before_turns(box: Sequence[float], turns: int, width: int, height: int) -> list[float]:
    """A box x0, y0, x1, y1 of a turned photo on the photo before its turns.

    Args:
        turns: counter-clockwise quarter turns, see numpy's rot90.
        width, height: of the photo before them.
    """
    x0, y0, x1, y1 = box
    return {
        0: [x0, y0, x1, y1],
        1: [width - y1, x0, width - y0, x1],
        2: [width - x1, height - y1, width - x0, height - y0],
        3: [y0, height - x1, y1, height - x0],
    }[turns % 4]


def _direction(line: TextLine) -> int:
    """Quarter turns, clockwise, from rightward to the direction of reading."""
    (x0, y0), (x1, y1), _, _ = line.reading_corners
    return round(math.atan2(y1 - y0, x1 - x0) / (math.pi / 2)) % 4
