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
MIN_PROBE_CHARACTERS = 3  # letters and digits of a probe: 9 W on its head is M 6
# A photo lies on its side or head where so many lines agree, of so many letters and digits that are read surely.
MIN_LINES, MIN_CHARACTERS, MIN_AGREEMENT, MIN_SCORE = 3, 15, 0.75, 0.9


def read_both_ways(
    images: Sequence[np.ndarray], lines: Sequence[Sequence[DetectedLine]], recognize: LineRecognizer
) -> list[tuple[list[DetectedLine], list[RecognizedText]]]:
    """The lines on each of several photos with their text, each in the direction in which it is read more surely.

    Vertical lines are tried both ways. Of level lines that are read doubtfully the longest are; where most of them are
    upside down, the others are tried, too.

    Args:
        images: uint8 RGB (H, W, 3).
        lines: of each photo.
    """
    kept, texts = [list(on_photo) for on_photo in lines], _texts(images, lines, recognize)

    def turn(indices: Sequence[Sequence[int]]) -> list[int]:
        """Turns those of the lines of each photo that are read more surely so, and counts them."""
        turned = [[lines[p][i].upside_down() for i in on_photo] for p, on_photo in enumerate(indices)]
        counts = [0] * len(indices)
        for p, again in enumerate(_texts(images, turned, recognize)):
            for i, line, text in zip(indices[p], turned[p], again, strict=True):
                if text[0].strip() and text[1] > texts[p][i][1]:
                    kept[p][i], texts[p][i] = line, text
                    counts[p] += 1
        return counts

    turn([[i for i, line in enumerate(on_photo) if line.is_vertical] for on_photo in lines])
    doubtful = [_doubtful(*of_photo) for of_photo in zip(lines, texts, strict=True)]
    probes = [
        [i for i in of_photo if _length(on_photo[i][0]) >= MIN_PROBE_CHARACTERS][:NUM_PROBES]
        for of_photo, on_photo in zip(doubtful, texts, strict=True)
    ]
    upside_down = [count > len(tried) / 2 for count, tried in zip(turn(probes), probes, strict=True)]
    turn(
        [
            [i for i in of_photo if i not in tried] if others else []
            for of_photo, tried, others in zip(doubtful, probes, upside_down, strict=True)
        ]
    )
    return list(zip(kept, texts, strict=True))


def _texts(
    images: Sequence[np.ndarray], lines: Sequence[Sequence[DetectedLine]], recognize: LineRecognizer
) -> list[list[RecognizedText]]:
    """The texts of the lines on each photo, all recognized together."""
    flat = [(image, line) for image, on_photo in zip(images, lines, strict=True) for line in on_photo]
    texts = iter(recognize(flat) if flat else [])
    return [[next(texts) for _ in on_photo] for on_photo in lines]


def _doubtful(lines: Sequence[DetectedLine], texts: Sequence[RecognizedText]) -> list[int]:
    """The level lines of a photo that may be upside down, the longest first."""
    found = [
        i
        for i, (line, (_, score)) in enumerate(zip(lines, texts, strict=True))
        if not line.is_vertical and score < DOUBTFUL_SCORE and line.width > MIN_PROBE_ASPECT * line.height
    ]
    return sorted(found, key=lambda i: -lines[i].width)


def quarter_turns(lines: Sequence[TextLine]) -> int:
    """By how many quarter turns, counter-clockwise, a photo becomes upright; 0 unless most of its text agrees."""
    characters: Counter[int] = Counter()
    count: Counter[int] = Counter()
    for line in lines:
        length = _length(line.text)
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
    before = {
        0: [x0, y0, x1, y1],
        1: [width - y1, x0, width - y0, x1],
        2: [width - x1, height - y1, width - x0, height - y0],
        3: [y0, height - x1, y1, height - x0],
    }[turns % 4]
    return [round(edge, 1) for edge in before]  # as other boxes


def _length(text: str) -> int:
    """Letters and digits."""
    return sum(character.isalnum() for character in text)


def _direction(line: TextLine) -> int:
    """Quarter turns, clockwise, from rightward to the direction of reading."""
    (x0, y0), (x1, y1), _, _ = line.reading_corners
    return round(math.atan2(y1 - y0, x1 - x0) / (math.pi / 2)) % 4
