"""The reader with PP-OCR: text lines with their corners, on photos of any shape."""

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.model.ocr.ppocr_reader import PPOCRReader

Recognize = Callable[[list[np.ndarray]], Any]


@pytest.fixture(scope="module")
def reader() -> PPOCRReader:
    return PPOCRReader(threads=1)


def drawn(*lines: str, size: tuple[int, int] = (480, 320), turn: int = 0) -> np.ndarray:
    """Black text on white, a line every 100 pixels, `turn` degrees counterclockwise."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((60, 40 + 100 * i), line, "black", ImageFont.load_default(48))
    return np.array(image.rotate(turn, expand=True))


def without_spaces(text: str) -> str:
    return text.replace(" ", "")


def test_reads_lines_from_top_to_bottom(reader: PPOCRReader) -> None:
    lines = reader.read(drawn("Net weight 500 g", "Input 220 V"))
    assert [without_spaces(line.text) for line in lines] == ["Netweight500g", "Input220V"]
    assert all(type(line.score) is float and 0.5 < line.score <= 1 for line in lines)


def test_corners_are_pixels_of_the_photo(reader: PPOCRReader) -> None:
    (line,) = reader.read(drawn("500 gram"))
    assert all(type(v) is float for point in line.corners for v in point)
    x0, y0, x1, y1 = line.box
    assert 40 < x0 < 70 and 20 < y0 < 60
    assert 200 < x1 < 350 and 75 < y1 < 120
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = line.corners
    assert ax < bx and dx < cx and ay < dy and by < cy  # clockwise from the top left


def test_corners_of_a_photo_that_the_engine_shrinks(reader: PPOCRReader) -> None:
    image = drawn("500 gram", "220 volt")
    small = reader.read(image)
    large = reader.read(np.array(Image.fromarray(image).resize((2400, 1600))))
    assert [without_spaces(line.text) for line in large] == ["500gram", "220volt"]
    for line, same in zip(large, small, strict=True):
        assert np.array(line.corners) == pytest.approx(
            np.array(same.corners) * 5, abs=100
        )  # margins grow with the text


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_text(reader: PPOCRReader, turn: int) -> None:
    (line,) = reader.read(drawn("Capacity 750 ml", turn=turn))
    assert without_spaces(line.text) == "Capacity750ml"
    # The first corner is where the text begins, for one that is upside down too.
    a, b, *_ = np.array(line.reading_corners)
    direction = {90: (0, -1), 180: (-1, 0), 270: (0, 1)}[turn]
    assert (b - a) @ direction == pytest.approx(np.linalg.norm(b - a), rel=0.05)


@pytest.mark.parametrize("size", [(2400, 120), (1200, 110)])
def test_text_on_a_narrow_photo(reader: PPOCRReader, size: tuple[int, int]) -> None:
    (line,) = reader.read(drawn("Length 25 inch", size=size))
    assert without_spaces(line.text) == "Length25inch"
    assert line.box[2] < 600 and line.box[3] <= size[1] - 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (31, 31), (4, 3000), (3000, 4), (300, 300)])
def test_photos_without_text(reader: PPOCRReader, height: int, width: int) -> None:
    assert reader.read(np.full((height, width, 3), 255, np.uint8)) == []


def test_nothing_is_logged_or_printed(reader: PPOCRReader, capfd: pytest.CaptureFixture[str]) -> None:
    reader.read(np.zeros((64, 64, 3), np.uint8))
    assert logging.getLogger("RapidOCR").level == logging.ERROR
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def calls(reader: PPOCRReader, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, ...]]]:
    """Which recognizer read a crop of which shape, from now on."""
    recorded: list[tuple[str, tuple[int, ...]]] = []
    for name in ("tiny", "small"):
        engine = getattr(reader, f"_{name}")._engine

        def recognize(crops: list[np.ndarray], name: str = name, recognize: Recognize = engine.recognize_txt) -> Any:
            recorded.extend((name, crop.shape) for crop in crops)
            return recognize(crops)

        monkeypatch.setattr(engine, "recognize_txt", recognize)
    return recorded


def test_lines_without_digits_are_read_once(reader: PPOCRReader, calls: list[tuple[str, tuple[int, ...]]]) -> None:
    lines = reader.read(drawn("Net weight", "Input 220 V"))
    assert [without_spaces(line.text) for line in lines] == ["Netweight", "Input220V"]
    assert [name for name, _ in calls] == ["tiny", "tiny", "small"]


def answering(*answers: tuple[str, float]) -> Recognize:
    """A recognizer that returns these texts and scores, one crop after the other."""
    remaining = iter(answers)

    def recognize(crops: list[np.ndarray]) -> SimpleNamespace:
        texts, scores = zip(*(next(remaining) for _ in crops), strict=True)
        return SimpleNamespace(txts=texts, scores=scores)

    return recognize


@pytest.mark.parametrize(("better", "expected"), [(0.7, "501 g"), (0.55, "500 g")])
def test_doubtful_numbers_are_read_again_from_a_longer_crop(
    reader: PPOCRReader, monkeypatch: pytest.MonkeyPatch, better: float, expected: str
) -> None:
    shapes: list[tuple[int, ...]] = []
    recognize = answering(("500 g", 0.6), ("501 g", better))

    def small(crops: list[np.ndarray]) -> SimpleNamespace:
        shapes.extend(crop.shape for crop in crops)
        return recognize(crops)

    monkeypatch.setattr(reader._small._engine, "recognize_txt", small)
    assert [line.text for line in reader.read(drawn("Net weight 500 g"))] == [expected]
    (height, width, _), (_, longer_width, _) = shapes
    assert longer_width == pytest.approx(width + 0.2 * height, abs=2)


@pytest.mark.parametrize("answer", [("500 g", 0.9), ("Net", 0.6)])
def test_certain_numbers_and_words_are_not_read_again(
    reader: PPOCRReader, monkeypatch: pytest.MonkeyPatch, answer: tuple[str, float]
) -> None:
    monkeypatch.setattr(reader._small._engine, "recognize_txt", answering(answer))
    assert [(line.text, line.score) for line in reader.read(drawn("Net weight 500 g"))] == [answer]


@pytest.mark.parametrize(("turn", "scale"), [(180, 1), (0, 5), (180, 5)])
def test_longer_crops_show_the_same_text(
    reader: PPOCRReader, monkeypatch: pytest.MonkeyPatch, turn: int, scale: int
) -> None:
    """Of lines that are turned, and of photos that the engine shrinks."""
    image = drawn("500gram", turn=turn)
    image = np.array(Image.fromarray(image).resize((480 * scale, 320 * scale)))
    recognize = reader._small._engine.recognize_txt
    texts: list[str] = []

    def doubtful(crops: list[np.ndarray]) -> SimpleNamespace:
        found = recognize(crops)
        texts.extend(found.txts)
        return SimpleNamespace(txts=found.txts, scores=(0.6,))

    monkeypatch.setattr(reader._small._engine, "recognize_txt", doubtful)
    (line,) = reader.read(image)
    assert [without_spaces(text) for text in texts] == ["500gram"] * 2
    x0, y0, x1, y1 = line.box
    middle = ((x0 + x1) / 2 / image.shape[1], (y0 + y1) / 2 / image.shape[0])
    expected = (0.33, 0.23)
    assert middle == pytest.approx(expected if turn == 0 else (1 - expected[0], 1 - expected[1]), abs=0.05)


def test_threads_reach_the_engines() -> None:
    """Two threads classify lines together; a line is recognized by one of them."""
    reader = PPOCRReader(threads=2)
    engines: list[Any] = [reader._classifier, reader._tiny._engine, reader._small._engine]
    threads = [engine.cfg.EngineConfig.onnxruntime.intra_op_num_threads for engine in engines]
    assert threads == [2, 1, 1]
    assert reader._pool._max_workers == 2


def test_threads_change_nothing(reader: PPOCRReader) -> None:
    image = drawn("Net weight 500 g", "Input 220 V", "Length 25 inch")
    assert PPOCRReader(threads=2).read(image) == reader.read(image)
