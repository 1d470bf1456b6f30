"""Which lines the two-stage reader recognizes, and by what."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.recognizer import LineOnPhoto
from resformer.model.ocr.text_line import RecognizedText, TextLine
from resformer.model.ocr.two_stage_reader import NUM_LARGEST, SecondReading, TwoStageReader
from tests.train.ocr.detection.ideal_maps import as_maps


def drawn(text: str, turn: int) -> tuple[np.ndarray, TextLine]:
    """Black text on white, turned clockwise by quarters, and its line with corners in reading order."""
    font = ImageFont.load_default(40)
    image = Image.new("RGB", (512, 512), "white")
    draw = ImageDraw.Draw(image)
    draw.text((90, 200), text, "black", font)
    x0, y0, x1, y1 = draw.textbbox((90, 200), text, font)
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    for _ in range(turn):
        corners = [(512 - y, x) for x, y in corners]
    a, b, c, d = corners
    order = (d, a, b, c) if turn % 2 else (a, b, c, d)
    return np.array(image.rotate(-90 * turn)), TextLine(order, text, 0.9)


def maps_of(line: TextLine, photo: np.ndarray) -> np.ndarray:
    """Ideal score maps of a line on an image of 512 x 512, for a photo of another size."""
    side = photo.shape[0]
    a, b, c, d = ((x * side / 512, y * side / 512) for x, y in line.corners)
    return as_maps([TextLine((a, b, c, d), line.text, line.score)], side)


class FakeRecognizer:
    """Reads the same text in every line."""

    def __init__(self, text: str, score: float):
        self.recognized = (text, score)

    def __call__(self, lines: Sequence[LineOnPhoto]) -> list[RecognizedText]:
        return [self.recognized] * len(lines)


def reader_of(line: TextLine, fast: FakeRecognizer) -> TwoStageReader:
    """A reader that detects the line where it is."""
    return TwoStageReader(lambda photos: [maps_of(line, photo) for photo in photos], fast, 640, SecondReading(1))


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_crops_reads_turned_text(turn: int) -> None:
    image, line = drawn("Net 500 g", turn)
    (read,) = reader_of(line, FakeRecognizer("not 5oo 9", 0.6)).read(image)
    assert read.text.replace(" ", "") == "Net500g"
    assert np.array(read.reading_corners) == pytest.approx(np.array(line.reading_corners), abs=9)
    assert read.vertical == bool(turn % 2)


def test_crops_reads_lines_without_a_quantity() -> None:
    image, line = drawn("Golden rice", 0)
    (read,) = reader_of(line, FakeRecognizer("golden rice", 0.99)).read(image)
    assert (read.text, read.score) == ("golden rice", 0.99)


def test_doubtful_lines_are_read_again() -> None:
    image, line = drawn("Net 500 g", 0)
    for text, score, again in (
        ("net 50", 0.999, False),
        ("net 50", 0.8, True),
        ("net", 0.999, False),
        ("n", 0.2, True),
    ):
        (read,) = reader_of(line, FakeRecognizer(text, score)).read(image)
        assert (read.text.replace(" ", "") == "Net500g") == again, (text, score)
        assert again or (read.text, read.score) == (text, score)


def test_of_doubtful_lines_without_a_digit_the_largest_are_read_again() -> None:
    image, line = drawn("Golden rice", 0)
    corners = np.array(line.corners)
    small = DetectedLine(corners, text=1, digit=0, cue=0)
    large = DetectedLine(corners + np.array([[0, -2], [0, -2], [0, 2], [0, 2]]), text=1, digit=0, cue=0)
    lines = [small] + [large] * NUM_LARGEST
    [texts] = SecondReading(1)([image], [lines], [[("goiden", 0.8)] * len(lines)])
    assert [text.replace(" ", "") for text, _ in texts] == ["goiden"] + ["Goldenrice"] * NUM_LARGEST
