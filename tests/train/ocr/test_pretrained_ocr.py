"""Finding and reading begin as the packaged networks."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional as F

from resformer.model.networks.text_detection import MAP_STRIDE, TEXT, TextDetectionHead, TextDetectorBackbone
from resformer.model.networks.text_recognition import RecognitionNetwork
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.ppocr_recognizer import bundled_model_path
from resformer.train.ocr.pretrained_ocr import start_finding, start_reading


def answer(model: str, last: str, given: torch.Tensor) -> np.ndarray:
    """What a packaged network computes just before its last step, of pixels whose channels it takes in reverse."""
    packaged = onnx.load(str(bundled_model_path(model)))
    (name,) = (node.input[0] for node in packaged.graph.node if node.op_type == last)
    packaged.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(packaged.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run([name], {"x": given.flip(1).numpy()})
    return np.asarray(found)


def test_the_map_of_print_begins_as_the_packaged_finder_s() -> None:
    stem, maps = TextDetectorBackbone().eval(), TextDetectionHead(TextDetectorBackbone.out_channels).eval()
    assert start_finding(stem, maps) == 162
    photo = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0)) * 2 - 1
    logits = answer("tiny/det/det.onnx", "Sigmoid", photo)
    with torch.inference_mode():
        ours = maps(stem(photo))[0, TEXT].numpy()
    # Half as fine: the mean of four places.
    theirs = logits.reshape(96 // MAP_STRIDE, MAP_STRIDE, 160 // MAP_STRIDE, MAP_STRIDE).mean(axis=(1, 3))
    assert theirs.std() > 0.5
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_the_reading_begins_as_the_packaged_recogniser() -> None:
    reading = RecognitionNetwork(len(CHARSET) + 1).eval()
    assert start_reading(reading) == 2 * len([m for m in reading.modules() if hasattr(m, "bias")])
    strip = torch.rand(1, 3, 48, 160, generator=torch.Generator().manual_seed(0)) * 2 - 1
    theirs = answer("tiny/rec/rec.onnx", "Softmax", strip)[0]
    with torch.inference_mode():
        x = reading.stem(strip)
        for block in reading.blocks:
            x = block(x)
        # As it lowers its taller strips: two columns to one step.
        ours = reading.head(reading.context(F.avg_pool2d(x, (3, 2))[:, :, 0]).transpose(1, 2))[0].numpy()
    packaged = bundled_model_path("ppocrv6_tiny_dict.txt").read_text(encoding="utf-8").split("\n")
    assert ours.shape == (20, len(CHARSET) + 1) and ours.std() > 0.5
    np.testing.assert_allclose(ours[:, BLANK], theirs[:, 0], atol=1e-3)
    np.testing.assert_allclose(ours[:, CHARSET.index(" ")], theirs[:, -1], atol=1e-3)
    for character in "7g.%":
        there = 1 + packaged.index(character)
        np.testing.assert_allclose(ours[:, CHARSET.index(character)], theirs[:, there], atol=1e-3)


def test_another_recogniser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resformer.model.networks.text_recognition.STEM_CHANNELS", 16)
    with pytest.raises(ValueError, match="the package has other filters"):
        start_reading(RecognitionNetwork(len(CHARSET) + 1))


def test_another_finder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resformer.model.networks.text_detection.PYRAMID_CHANNELS", 32)
    with pytest.raises(ValueError, match="the package has other filters"):
        start_finding(TextDetectorBackbone(), TextDetectionHead(TextDetectorBackbone.out_channels))
