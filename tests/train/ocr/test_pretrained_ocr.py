"""The text networks start as those of PP-OCR."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional as F

from resformer.model.networks.text_detection import MAP_STRIDE, TEXT, DetectionNetwork
from resformer.model.networks.text_recognition import RecognitionNetwork
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.ppocr_engine import bundled_model_path
from resformer.train.ocr.pretrained_ocr import init_detector, init_recognizer


def ppocr_logits(model: str, last_op: str, pixels: torch.Tensor) -> np.ndarray:
    """The input of a bundled network's last operation, for pixels (1, 3, H, W) that it takes in reverse order."""
    bundled = onnx.load(str(bundled_model_path(model)))
    (name,) = (node.input[0] for node in bundled.graph.node if node.op_type == last_op)
    bundled.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(bundled.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = session.run([name], {"x": pixels.flip(1).numpy()})
    return np.asarray(logits)


def test_detector_starts_with_the_text_map_of_ppocr() -> None:
    detector = DetectionNetwork().eval()
    assert init_detector(detector) == 162
    pixels = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0)) * 2 - 1
    logits = ppocr_logits("tiny/det/det.onnx", "Sigmoid", pixels)
    with torch.inference_mode():
        text_map = detector.head(detector.backbone(pixels))[0, TEXT].numpy()
    expected = logits.reshape(96 // MAP_STRIDE, MAP_STRIDE, 160 // MAP_STRIDE, MAP_STRIDE).mean(axis=(1, 3))
    assert expected.std() > 0.5
    np.testing.assert_allclose(text_map, expected, atol=1e-3)


def test_recognizer_starts_with_the_logits_of_ppocr() -> None:
    recognizer = RecognitionNetwork(len(CHARSET) + 1).eval()
    assert init_recognizer(recognizer) == 2 * len([m for m in recognizer.modules() if hasattr(m, "bias")])
    pixels = torch.rand(1, 3, 48, 160, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = ppocr_logits("tiny/rec/rec.onnx", "Softmax", pixels)[0]
    with torch.inference_mode():
        x = recognizer.stem(pixels)
        for block in recognizer.blocks:
            x = block(x)
        # PP-OCR pools taller crops so, and two columns to a step.
        pooled = F.avg_pool2d(x, (3, 2))[:, :, 0]
        logits = recognizer.head(recognizer.context(pooled).transpose(1, 2))[0].numpy()
    characters = bundled_model_path("ppocrv6_tiny_dict.txt").read_text(encoding="utf-8").split("\n")
    assert logits.shape == (20, len(CHARSET) + 1) and logits.std() > 0.5
    np.testing.assert_allclose(logits[:, BLANK], expected[:, 0], atol=1e-3)
    np.testing.assert_allclose(logits[:, CHARSET.index(" ")], expected[:, -1], atol=1e-3)
    for character in "7g.%":
        column = expected[:, 1 + characters.index(character)]
        np.testing.assert_allclose(logits[:, CHARSET.index(character)], column, atol=1e-3)


def test_another_recognizer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resformer.model.networks.text_recognition.STEM_CHANNELS", 16)
    with pytest.raises(ValueError, match="the package has other filters"):
        init_recognizer(RecognitionNetwork(len(CHARSET) + 1))


def test_another_detector_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resformer.model.networks.text_detection.PYRAMID_CHANNELS", 32)
    with pytest.raises(ValueError, match="the package has other filters"):
        init_detector(DetectionNetwork())
