"""Which way lines and photos are read."""

from collections.abc import Sequence

import numpy as np
import pytest

from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.line_directions import NUM_PROBES, box_before_turns, quarter_turns, read_both_ways
from resformer.model.ocr.recognizer import LineOnPhoto
from resformer.model.ocr.text_line import RecognizedText, TextLine

IMAGE = np.zeros((100, 100, 3), dtype=np.uint8)


def line(direction: int, length: float = 40, height: float = 10, at: tuple[float, float] = (50, 50)) -> DetectedLine:
    """A line around a point, read rightward after so many clockwise quarter turns."""
    corners = np.array([[-length, -height], [length, -height], [length, height], [-length, height]]) / 2
    for _ in range(direction):
        corners = np.stack([-corners[:, 1], corners[:, 0]], axis=1)
    return DetectedLine(corners + np.array(at), text=1, digit=0, cue=0)


class Upright:
    """Reads lines surely that are read in one direction, and others doubtfully; keeps count of them."""

    def __init__(self, direction: int, doubtful: float = 0.5):
        self.direction = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]][direction])
        self.doubtful, self.count = doubtful, 0

    def __call__(self, lines: Sequence[LineOnPhoto]) -> list[RecognizedText]:
        self.count += len(lines)
        along = [of_line.corners[1] - of_line.corners[0] for _, of_line in lines]
        return [("61 cm", 0.99) if a @ self.direction > 1 else ("w 19", self.doubtful) for a in along]


@pytest.mark.parametrize(("detected", "right"), [(1, 3), (3, 1), (1, 1), (0, 2), (2, 0)])
def test_a_line_is_read_in_its_surer_direction(detected: int, right: int) -> None:
    [((read,), (text,))] = read_both_ways([IMAGE], [[line(detected)]], Upright(right))
    assert text == ("61 cm", 0.99)
    assert np.allclose(read.corners, line(right).corners)


def test_level_lines_that_are_read_surely_are_read_once() -> None:
    recognize = Upright(0)
    lines = [line(0)] * 9
    assert read_both_ways([IMAGE], [lines], recognize)[0][0] == lines and recognize.count == 9


@pytest.mark.parametrize(("right", "again"), [(0, 0), (2, 20), (1, NUM_PROBES)])
def test_all_doubtful_lines_are_turned_where_the_longest_are_upside_down(right: int, again: int) -> None:
    recognize = Upright(right)
    [(_, texts)] = read_both_ways([IMAGE], [[line(0, 20 + i) for i in range(20)]], recognize)
    assert recognize.count == 20 + again
    assert all(text == ("61 cm", 0.99) for text in texts) == (right != 1)


@pytest.mark.parametrize("detected", [[line(0)], [line(0), line(0, 60)]])
def test_a_line_of_two_characters_is_not_turned_alone(detected: list[DetectedLine]) -> None:
    def recognize(lines: Sequence[LineOnPhoto]) -> list[RecognizedText]:
        upright = [of_line.corners[1][0] > of_line.corners[0][0] for _, of_line in lines]
        long = [of_line.width > 50 for _, of_line in lines]
        return [
            ("220 V" if is_long else "9 W", 0.8) if is_upright else ("M 6", 0.7 if is_long else 0.9)
            for is_upright, is_long in zip(upright, long, strict=True)
        ]

    [(kept, texts)] = read_both_ways([IMAGE], [detected], recognize)
    assert kept == detected and texts[0] == ("9 W", 0.8)


def test_photos_that_are_read_together_are_read_as_alone() -> None:
    photos = [[line(1), line(0)], [], [line(0, 20 + i) for i in range(9)], [line(3)] * 2, [line(2)]]
    together = read_both_ways([IMAGE] * len(photos), photos, Upright(2))
    for found, lines in zip(together, photos, strict=True):
        [alone] = read_both_ways([IMAGE], [lines], Upright(2))
        assert found[1] == alone[1]
        assert [a.corners.tolist() for a in found[0]] == [b.corners.tolist() for b in alone[0]]


def on_photo(directions: Sequence[int], text: str = "rolled oats", score: float = 0.99) -> list[TextLine]:
    return [TextLine.from_reading_order(line(d).corners, text, score) for d in directions]


@pytest.mark.parametrize("direction", [0, 1, 2, 3])
def test_a_photo_is_turned_where_its_text_agrees(direction: int) -> None:
    assert quarter_turns(on_photo([direction] * 4)) == direction


@pytest.mark.parametrize(
    "lines",
    [
        [],
        on_photo([3, 3]),
        on_photo([3, 3, 3], "61"),
        on_photo([3, 3, 3, 0, 0]),
        on_photo([3, 3, 3], score=0.8),
    ],
)
def test_a_photo_with_little_or_mixed_text_stays(lines: list[TextLine]) -> None:
    assert quarter_turns(lines) == 0


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_boxes_are_those_of_the_photo_before_its_turns(turns: int) -> None:
    photo = np.zeros((40, 60), dtype=bool)
    photo[10:15, 20:50] = True
    ys, xs = np.nonzero(np.rot90(photo, turns))
    assert box_before_turns([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], turns, 60, 40) == [20, 10, 50, 15]
