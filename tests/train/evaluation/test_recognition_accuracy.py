"""Recognizers on drawn values."""

from pathlib import Path

import numpy as np
import pytest

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.text_recognition import CROP_HEIGHT
from resformer.model.schema.schema import Schema
from resformer.train.evaluation.recognition_accuracy import benchmark_recognition, score_recognizer
from resformer.train.ocr.synthetic.line_renderer import LineRenderer

TOKENIZER = Tokenizer(Schema.load())


pytestmark = pytest.mark.usefixtures("fonts")


def test_a_perfect_recognizer_scores_one(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def render(renderer: LineRenderer, text: str, rng: np.random.Generator) -> np.ndarray:
        drawn.append(text)
        return np.zeros((CROP_HEIGHT, 64, 3), np.uint8)

    monkeypatch.setattr(LineRenderer, "render", render)
    perfect = score_recognizer("perfect", lambda crop: (drawn[-1].lower(), 1.0), (12, 20), 40)
    assert (perfect.value_accuracy, perfect.exact_accuracy) == (1.0, 1.0)
    confused = score_recognizer("confused", lambda crop: (drawn[-1].replace("5", "6"), 1.0), (12, 20), 40)
    assert 0.2 < confused.value_accuracy < 1


def test_weights_without_a_recognizer_are_refused(tmp_path: Path) -> None:
    network = build_network(preset("nano"), TOKENIZER, ("text_recognizer",))
    save_checkpoint(tmp_path / "w.safetensors", network, TOKENIZER)
    figures = benchmark_recognition(["builtin"], weights=tmp_path / "w.safetensors", limit=3)
    assert [score["value_accuracy"] for score in figures["scores"]] == [0.0] * 4
    save_checkpoint(tmp_path / "b.safetensors", build_network(preset("nano"), TOKENIZER, ()), TOKENIZER)
    with pytest.raises(ValueError, match=r"has no text recognizer; train one with .*text_recognizer\.yaml"):
        benchmark_recognition(["builtin"], weights=tmp_path / "b.safetensors")


def test_the_recognizer_of_ppocr_is_scored_too() -> None:
    *_, largest = benchmark_recognition(["PP-OCRv6 tiny"], limit=12)["scores"]
    assert (largest["min_height"], largest["max_height"]) == (20, 40)
    assert largest["value_accuracy"] > 0.7
    with pytest.raises(ValueError, match="unknown recognizer 'huge'"):
        benchmark_recognition(["huge"])
