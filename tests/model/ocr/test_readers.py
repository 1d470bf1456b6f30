"""Readers by name, and what those read that look before they read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from resformer.model.errors import BadRequest
from resformer.model.inference.checkpoint import build_network, load_weights, save_weights
from resformer.model.inference.tokenizer import Vocabulary
from resformer.model.networks.presets import preset
from resformer.model.networks.resformer import PARTS
from resformer.model.networks.text_detector import CELL, MAPS
from resformer.model.networks.text_recognizer import BLANK, STRIP_HEIGHT
from resformer.model.ocr.charset import CHARACTERS
from resformer.model.ocr.ctc import read_out
from resformer.model.ocr.detection_postprocess import Strip
from resformer.model.ocr.detector import PrintFinder
from resformer.model.ocr.ppocr_recognizer import Text
from resformer.model.ocr.readers import READERS, NoReader, make_reader
from resformer.model.ocr.recognizer import OwnReading
from resformer.model.ocr.text_line import Line
from resformer.model.ocr.two_stage_reader import CloserReading, CropsReader
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from tests.train.ocr.detection.ideal_maps import as_maps

VOCABULARY = Vocabulary(Schema.load())
NETWORK = build_network(preset("nano"), VOCABULARY, PARTS).eval()
BLIND = build_network(preset("nano"), VOCABULARY).eval()


def test_none_reads_nothing() -> None:
    assert make_reader("none", BLIND, "cpu", 1).read(np.zeros((40, 60, 3), np.uint8)) == []


def test_unknown_reader_lists_the_known() -> None:
    assert READERS == ("ppocr", "crops", "none")
    with pytest.raises(BadRequest, match="'tesseract'; known are ppocr, crops, none"):
        make_reader("tesseract", NETWORK, "cpu", 1)


def test_finder_gives_the_maps_of_the_network() -> None:
    finder = PrintFinder(NETWORK, "cpu", threads=1)
    rng = np.random.default_rng(0)
    for height, width in ((64, 96), (160, 32)):
        photo = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        maps = finder(photo)
        assert maps.shape == (MAPS, height // CELL, width // CELL)
        with torch.inference_mode():
            expected = NETWORK.find_print(torch.from_numpy(photo).permute(2, 0, 1)[None])[0]
        np.testing.assert_allclose(maps, expected.numpy(), atol=1e-4)


def test_own_reading_is_that_of_the_network() -> None:
    reading = OwnReading(NETWORK, "cpu", threads=2)
    rng = np.random.default_rng(0)
    strips = [rng.integers(256, size=(STRIP_HEIGHT, width, 3), dtype=np.uint8) for width in (64, 100, 256)]
    for strip in strips:
        text, score = reading.read(strip)
        with torch.inference_mode():
            logits = NETWORK.read_print(torch.from_numpy(strip).permute(2, 0, 1)[None])[0]
        expected, sure = read_out(logits.numpy())
        assert text == expected
        assert score == pytest.approx(sure, abs=1e-4)
    for width in (1, 3001):
        text, score = reading.read(np.zeros((STRIP_HEIGHT, width, 3), np.uint8))
        assert isinstance(text, str) and 0 <= score <= 1
    photo = np.zeros((100, 200, 3), np.uint8)
    corners = np.array([[20, 20], [120, 20], [120, 40], [20, 40]], float)
    assert len(reading(photo, [Strip(corners, 1, 1, 1)] * 3)) == 3
    assert reading(photo, []) == []


def test_logits_are_read_greedily() -> None:
    said = [CHARACTERS.index(c) for c in "50"]
    steps = [BLANK, said[0], said[0], BLANK, said[1], BLANK, said[1], CHARACTERS.index(" ")]
    logits = np.full((len(steps), len(CHARACTERS) + 1), -9.0)
    logits[np.arange(len(steps)), steps] = 9.0
    text, score = read_out(logits)
    assert text == "500"
    assert score > 0.99
    logits[:, BLANK] = 20
    assert read_out(logits) == ("", 0.0)


def printed(text: str, turn: int) -> tuple[np.ndarray, Line]:
    """Black print on white, turned clockwise by quarters, and its line with corners in reading order."""
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
    return np.array(image.rotate(-90 * turn)), Line(order, text, 0.9)


def maps_of(line: Line, photo: np.ndarray) -> np.ndarray:
    """True maps of a line on an image of 512 x 512, which is looked at in another size."""
    side = photo.shape[0]
    a, b, c, d = ((x * side / 512, y * side / 512) for x, y in line.corners)
    return as_maps([Line((a, b, c, d), line.text, line.score)], side)


class Guess:
    """A reading that says the same of every strip."""

    def __init__(self, text: str, score: float):
        self.said = (text, score)

    def __call__(self, image: np.ndarray, strips: Sequence[Strip]) -> list[Text]:
        return [self.said] * len(strips)


def reader_of(line: Line, own: Guess) -> CropsReader:
    """A reader that sees the line where it is."""
    return CropsReader(lambda photo: maps_of(line, photo), CloserReading(own, 1), 640)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_crops_reads_print_however_it_is_turned(turn: int) -> None:
    image, line = printed("Net 500 g", turn)
    (read,) = reader_of(line, Guess("not 5oo 9", 0.6)).read(image)
    assert read.text.replace(" ", "") == "Net500g"
    assert np.array(read.reading_corners) == pytest.approx(np.array(line.reading_corners), abs=9)
    assert read.vertical == bool(turn % 2)


def test_crops_leaves_out_lines_that_cannot_matter() -> None:
    image, line = printed("Golden rice", 0)
    assert reader_of(line, Guess("golden rice", 0.9)).read(image) == []


def test_what_the_network_is_sure_of_is_not_read_again() -> None:
    image, line = printed("Net 500 g", 0)
    for text, score, again in (("net 50", 0.999, False), ("net 50", 0.8, True), ("net", 0.8, False), ("n", 0.2, True)):
        (read,) = reader_of(line, Guess(text, score)).read(image)
        assert (read.text.replace(" ", "") == "Net500g") == again, (text, score)
        assert again or (read.text, read.score) == (text, score)


def test_crops_needs_maps_and_reading(tmp_path: Path) -> None:
    for parts in (PARTS, ("maps",), ("reading",), ()):
        path = tmp_path / f"{len(parts)}.safetensors"
        network = build_network(preset("nano"), VOCABULARY, parts)
        save_weights(path, network, VOCABULARY, temperature=1.0)
        loaded = load_weights(path, VOCABULARY).network
        assert (loaded.maps is not None, loaded.reading is not None) == ("maps" in parts, "reading" in parts)
        predictor = Predictor.load(path, reader="none")
        assert predictor.readers == (READERS if parts == PARTS else ("ppocr", "none"))
        assert isinstance(predictor.words_reader(), NoReader) == (parts != PARTS)
        if parts != PARTS:
            with pytest.raises(
                BadRequest, match="known are ppocr, none; crops needs weights with maps of print and a reading"
            ):
                predictor.words_reader("crops")
        if "maps" not in parts:
            with pytest.raises(ValueError, match=r"train\.run --maps"):
                loaded.find_print(torch.zeros(1, 3, 32, 32))
