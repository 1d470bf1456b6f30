"""The built-in text recognizer with random weights."""

import numpy as np
import pytest
import torch

from resformer.model.networks.text_recognition import CROP_HEIGHT, RecognitionNetwork
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.ctc import ctc_decode
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.recognizer import BuiltinRecognizer


def test_the_recognizer_gives_the_text_of_the_network() -> None:
    torch.manual_seed(0)
    network = RecognitionNetwork(len(CHARSET) + 1).eval()
    recognizer = BuiltinRecognizer(network, "cpu", threads=2)
    rng = np.random.default_rng(0)
    crops = [rng.integers(256, size=(CROP_HEIGHT, width, 3), dtype=np.uint8) for width in (64, 100, 256)]
    for crop in crops:
        text, score = recognizer.recognize(crop)
        with torch.inference_mode():
            logits = network(torch.from_numpy(crop).permute(2, 0, 1)[None])[0]
        expected_text, expected_score = ctc_decode(logits.numpy())
        assert text == expected_text
        assert score == pytest.approx(expected_score, abs=1e-4)
    for width in (1, 3001):
        text, score = recognizer.recognize(np.zeros((CROP_HEIGHT, width, 3), np.uint8))
        assert isinstance(text, str) and 0 <= score <= 1
    photo = np.zeros((100, 200, 3), np.uint8)
    corners = np.array([[20, 20], [120, 20], [120, 40], [20, 40]], float)
    assert len(recognizer([(photo, DetectedLine(corners, 1, 1, 1))] * 3)) == 3
    assert recognizer([]) == []


def test_crops_of_all_widths_are_recognized_in_batches_as_alone() -> None:
    torch.manual_seed(0)
    network = RecognitionNetwork(len(CHARSET) + 1).eval()
    alone, batched = (BuiltinRecognizer(network, "cpu", threads=2, batch_size=size) for size in (1, 4))
    photo = np.random.default_rng(0).integers(256, size=(120, 400, 3), dtype=np.uint8)
    lines = [
        (photo, DetectedLine(np.array([[5, y], [x, y], [x, y + 20], [5, y + 20]], float), 1, 1, 1))
        for y, x in ((5, 390), (30, 40), (50, 61), (70, 200), (90, 12), (95, 300))
    ]
    for (text, score), (expected, expected_score) in zip(batched(lines), alone(lines), strict=True):
        assert text == expected
        assert score == pytest.approx(expected_score, abs=1e-4)
    assert (
        batched.recognize(np.zeros((CROP_HEIGHT, 9, 3), np.uint8))[0]
        == alone.recognize(np.zeros((CROP_HEIGHT, 9, 3), np.uint8))[0]
    )
    assert batched([]) == []
