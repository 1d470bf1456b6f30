"""However much text a photo shows, so much of it is read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from resformer.model.ocr import ppocr_reader, two_stage_reader
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.line_crop import crop_line
from resformer.model.ocr.line_limits import MAX_LINE_ASPECT, MAX_LINES, MAX_TOTAL_ASPECT, likeliest
from resformer.model.ocr.line_shape import LineShape
from resformer.model.ocr.ppocr_reader import PPOCRReader
from resformer.model.ocr.recognizer import LineOnPhoto
from resformer.model.ocr.text_line import RecognizedText
from resformer.model.ocr.two_stage_reader import MAX_SECOND_ASPECT, SecondReading, TwoStageReader

PHOTO = np.full((64, 64, 3), 255, np.uint8)
MANY = 2000


def test_all_lines_of_a_usual_photo_are_read() -> None:
    assert likeliest([[1.0, 3.0, 2.0], []], [[5.0, 50.0, 9.0], []]) == [[0, 1, 2], []]


def test_the_likeliest_lines_are_read_in_their_order() -> None:
    priorities = np.random.default_rng(0).permutation(MANY).astype(float).tolist()
    (kept,) = likeliest([priorities], [[1.0] * MANY])
    assert len(kept) == MAX_LINES and kept == sorted(kept)
    assert min(priorities[i] for i in kept) == MANY - MAX_LINES


def test_a_line_that_does_not_fit_leaves_room_for_others() -> None:
    assert likeliest([[3.0, 2.0, 1.0, 4.0]], [[50.0, 20.0, 5.0, 40.0]], max_total=64) == [[1, 3]]


@pytest.mark.parametrize("aspect", [0.0, 1.0, 7.0, 1e9])
def test_the_lines_together_are_no_longer_than_the_limit(aspect: float) -> None:
    (kept,) = likeliest([[1.0] * MANY], [[aspect] * MANY])
    assert 0 < len(kept) * min(max(aspect, 1.0), MAX_LINE_ASPECT) <= MAX_TOTAL_ASPECT
    (half,) = likeliest([[1.0] * MANY], [[aspect] * MANY], room=0.5)
    assert len(half) == len(kept) // 2


def test_parts_of_a_photo_share_its_limits() -> None:
    kept = likeliest([[1.0] * MANY, [2.0, 2.0], []], [[1.0] * MANY, [1.0, 1.0], []], shared=True)
    assert [len(of_part) for of_part in kept] == [MAX_LINES - 2, 2, 0]
    assert [len(of_photo) for of_photo in likeliest([[1.0] * MANY] * 2, [[1.0] * MANY] * 2)] == [MAX_LINES] * 2


def test_a_line_without_height_has_a_crop_of_bounded_width() -> None:
    corners = np.array([[0, 5], [60, 5], [60, 5], [0, 5]], float)
    assert crop_line(PHOTO, corners, 32).shape == (32, MAX_LINE_ASPECT * 32, 3)


class CountingRecognizer:
    """Reads a doubtful number in every line, and counts the lines."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, lines: Sequence[LineOnPhoto]) -> list[RecognizedText]:
        self.count += len(lines)
        return [("5 g", 0.9)] * len(lines)


@pytest.mark.parametrize(("parts", "together"), [(1, False), (3, False), (3, True)])
def test_two_stages_read_as_many_lines_as_there_is_room_for(
    parts: int, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    corners = np.array([[0, 0], [16, 0], [16, 4], [0, 4]], float)
    monkeypatch.setattr(two_stage_reader, "extract_lines", lambda *_: [DetectedLine(corners, 1, 1, 0)] * MANY)
    again = SecondReading(1)
    crops: list[np.ndarray] = []

    def small(crop: np.ndarray) -> RecognizedText:
        crops.append(crop)
        return "5 kg", 0.99

    monkeypatch.setattr(again, "_small", small)
    first = CountingRecognizer()
    reader = TwoStageReader(lambda photos: [PHOTO for _ in photos], first, 640, again)
    read = (reader.read_parts if together else reader.read_many)([PHOTO] * parts)
    limits = 1 if together else parts
    assert first.count == MAX_LINES * limits == sum(len(lines) for lines in read)
    assert len(crops) == MAX_SECOND_ASPECT / 4 * limits
    assert sum(line.text == "5 kg" for lines in read for line in lines) == len(crops)


def test_ppocr_reads_as_many_lines_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = PPOCRReader(1)
    counts = {"tiny": 0, "small": 0}

    def detect(images: Sequence[np.ndarray]) -> list[list[LineShape]]:
        return [[LineShape(np.array([[0, 0], [16, 0], [16, 4], [0, 4]], np.float32))] * MANY for _ in images]

    def counting(name: str) -> Any:
        def read(crop: np.ndarray) -> RecognizedText:
            counts[name] += 1
            return "5 g", 0.7

        return read

    monkeypatch.setattr(reader._detector, "detect", detect)
    monkeypatch.setattr(reader, "_tiny", counting("tiny"))
    monkeypatch.setattr(reader, "_small", counting("small"))
    first = ppocr_reader.MAX_FIRST_ASPECT / 4
    assert [len(lines) for lines in reader.read_parts([PHOTO, PHOTO])] == [first, 0]
    second = (ppocr_reader.MAX_SECOND_ASPECT + ppocr_reader.MAX_RETRY_ASPECT) / 4
    assert counts == {"tiny": first, "small": second}
