"""Readers by name, the built-in detector and recognizer, and reading in two stages."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from resformer.model.errors import BadRequest
from resformer.model.inference.checkpoint import build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.resformer import OPTIONAL_PARTS
from resformer.model.networks.text_detection import MAP_STRIDE, NUM_MAPS
from resformer.model.networks.text_recognition import CROP_HEIGHT
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.ctc import BLANK, ctc_decode
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.detector import TextDetector
from resformer.model.ocr.readers import READERS, NullReader, make_reader
from resformer.model.ocr.recognizer import BuiltinRecognizer
from resformer.model.ocr.text_line import RecognizedText, TextLine
from resformer.model.ocr.two_stage_reader import CascadeRecognizer, TwoStageReader
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from tests.train.ocr.detection.ideal_maps import as_maps

TOKENIZER = Tokenizer(Schema.load())
NETWORK = build_network(preset("nano"), TOKENIZER, OPTIONAL_PARTS).eval()
WITHOUT_OCR = build_network(preset("nano"), TOKENIZER).eval()


def test_the_builtin_reader_of_weights_without_ocr_reads_nothing() -> None:
    assert make_reader("builtin", WITHOUT_OCR, "cpu", 1).read(np.zeros((40, 60, 3), np.uint8)) == []


def test_unknown_reader_lists_the_known() -> None:
    assert READERS == ("ppocr", "crops", "builtin")
    with pytest.raises(BadRequest, match="'tesseract'; known are ppocr, crops, builtin"):
        make_reader("tesseract", NETWORK, "cpu", 1)


def test_the_detector_gives_the_score_maps_of_the_network() -> None:
    assert NETWORK.text_detector is not None
    detector = TextDetector(NETWORK.text_detector, "cpu", threads=1)
    rng = np.random.default_rng(0)
    for height, width in ((64, 96), (160, 32)):
        photo = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        maps = detector(photo)
        assert maps.shape == (NUM_MAPS, height // MAP_STRIDE, width // MAP_STRIDE)
        with torch.inference_mode():
            expected = NETWORK.text_detector(torch.from_numpy(photo).permute(2, 0, 1)[None])[0]
        np.testing.assert_allclose(maps, expected.numpy(), atol=1e-4)


def test_the_recognizer_gives_the_text_of_the_network() -> None:
    assert NETWORK.text_recognizer is not None
    recognizer = BuiltinRecognizer(NETWORK.text_recognizer, "cpu", threads=2)
    rng = np.random.default_rng(0)
    crops = [rng.integers(256, size=(CROP_HEIGHT, width, 3), dtype=np.uint8) for width in (64, 100, 256)]
    for crop in crops:
        text, score = recognizer.recognize(crop)
        with torch.inference_mode():
            logits = NETWORK.text_recognizer(torch.from_numpy(crop).permute(2, 0, 1)[None])[0]
        expected_text, expected_score = ctc_decode(logits.numpy())
        assert text == expected_text
        assert score == pytest.approx(expected_score, abs=1e-4)
    for width in (1, 3001):
        text, score = recognizer.recognize(np.zeros((CROP_HEIGHT, width, 3), np.uint8))
        assert isinstance(text, str) and 0 <= score <= 1
    photo = np.zeros((100, 200, 3), np.uint8)
    corners = np.array([[20, 20], [120, 20], [120, 40], [20, 40]], float)
    assert len(recognizer(photo, [DetectedLine(corners, 1, 1, 1)] * 3)) == 3
    assert recognizer(photo, []) == []


def test_ctc_decoding_is_greedy() -> None:
    five, zero = (CHARSET.index(c) for c in "50")
    steps = [BLANK, five, five, BLANK, zero, BLANK, zero, CHARSET.index(" ")]
    logits = np.full((len(steps), len(CHARSET) + 1), -9.0)
    logits[np.arange(len(steps)), steps] = 9.0
    text, score = ctc_decode(logits)
    assert text == "500"
    assert score > 0.99
    logits[:, BLANK] = 20
    assert ctc_decode(logits) == ("", 0.0)


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

    def __call__(self, image: np.ndarray, lines: Sequence[DetectedLine]) -> list[RecognizedText]:
        return [self.recognized] * len(lines)


def reader_of(line: TextLine, fast: FakeRecognizer) -> TwoStageReader:
    """A reader that detects the line where it is."""
    return TwoStageReader(lambda photo: maps_of(line, photo), CascadeRecognizer(fast, 1), 640)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_crops_reads_turned_text(turn: int) -> None:
    image, line = drawn("Net 500 g", turn)
    (read,) = reader_of(line, FakeRecognizer("not 5oo 9", 0.6)).read(image)
    assert read.text.replace(" ", "") == "Net500g"
    assert np.array(read.reading_corners) == pytest.approx(np.array(line.reading_corners), abs=9)
    assert read.vertical == bool(turn % 2)


def test_crops_leaves_out_lines_that_cannot_matter() -> None:
    image, line = drawn("Golden rice", 0)
    assert reader_of(line, FakeRecognizer("golden rice", 0.9)).read(image) == []


def test_lines_with_a_high_score_are_not_read_again() -> None:
    image, line = drawn("Net 500 g", 0)
    for text, score, again in (("net 50", 0.999, False), ("net 50", 0.8, True), ("net", 0.8, False), ("n", 0.2, True)):
        (read,) = reader_of(line, FakeRecognizer(text, score)).read(image)
        assert (read.text.replace(" ", "") == "Net500g") == again, (text, score)
        assert again or (read.text, read.score) == (text, score)


def test_crops_needs_a_detector_and_a_recognizer(tmp_path: Path) -> None:
    for parts in (OPTIONAL_PARTS, ("text_detector",), ("text_recognizer",), ()):
        path = tmp_path / f"{len(parts)}.safetensors"
        network = build_network(preset("nano"), TOKENIZER, parts)
        save_checkpoint(path, network, TOKENIZER, temperature=1.0)
        loaded = load_checkpoint(path, TOKENIZER).network
        assert (loaded.text_detector is not None) == ("text_detector" in parts)
        assert (loaded.text_recognizer is not None) == ("text_recognizer" in parts)
        predictor = Predictor.load(path, reader="none")
        assert predictor.reader == "builtin"
        assert predictor.readers == (READERS if parts == OPTIONAL_PARTS else ("ppocr", "builtin"))
        assert isinstance(predictor.reader_for(), NullReader) == (parts != OPTIONAL_PARTS)
        if parts != OPTIONAL_PARTS:
            hint = "known are ppocr, builtin; `crops` needs weights with a text detector and a text recognizer"
            with pytest.raises(BadRequest, match=hint):
                predictor.reader_for("crops")
