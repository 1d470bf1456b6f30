"""Copying of unseen values is measured on drawn strips."""

from pathlib import Path

import numpy as np
import pytest

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.text_recognition import CROP_HEIGHT
from resformer.model.schema.schema import Schema
from resformer.train.evaluation.recognition_accuracy import copy_accuracy, main
from resformer.train.ocr.synthetic.drawn_lines import DrawnStrip, StripPress

TOKENIZER = Tokenizer(Schema.load())


pytestmark = pytest.mark.usefixtures("fonts")


def test_a_perfect_reader_copies_all(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def strip_of(press: StripPress, text: str, rng: np.random.Generator) -> DrawnStrip:
        said.append(text)
        return DrawnStrip(np.zeros((CROP_HEIGHT, 64, 3), np.uint8), text, 20.0)

    monkeypatch.setattr(StripPress, "strip_of", strip_of)
    perfect = copy_accuracy(lambda strip: (said[-1].lower(), 1.0), (12, 20), 40, 0)
    assert perfect == (1.0, 1.0)
    # The last digit of every number changed.
    wrong = copy_accuracy(lambda strip: (said[-1].replace("5", "6"), 1.0), (12, 20), 40, 0)
    assert 0.2 < wrong[0] < 1


def test_table_of_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = build_network(preset("nano"), TOKENIZER, ("text_recognizer",))
    save_checkpoint(tmp_path / "w.safetensors", network, TOKENIZER, temperature=1.0)
    assert main(["--weights", str(tmp_path / "w.safetensors"), "--count", "3"]) == 0
    assert "| 8 to 12 | 0.000 | 0.000 |" in capsys.readouterr().out
    blind = build_network(preset("nano"), TOKENIZER)
    save_checkpoint(tmp_path / "b.safetensors", blind, TOKENIZER, temperature=1.0)
    assert main(["--weights", str(tmp_path / "b.safetensors")]) == 2
    assert "train.run --reading" in capsys.readouterr().err


def test_table_of_a_packaged_recogniser(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recogniser", "tiny", "--count", "12"]) == 0
    *_, largest = capsys.readouterr().out.strip().splitlines()
    assert largest.startswith("| 20 to 40 | ")
    assert float(largest.split("|")[2]) > 0.7
