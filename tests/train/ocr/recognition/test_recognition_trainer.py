"""Training of the text recognizer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from resformer.model.inference.checkpoint import build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.schema.schema import Schema
from resformer.train.engine.fabric import make_fabric
from resformer.train.engine.trainer import Log
from resformer.train.ocr.recognition.recognition_trainer import RecognitionTrainer
from resformer.train.settings.run_settings import RecognizerConfig
from resformer.train.settings.sources import OcrSource
from tests.train.ocr.logged_losses import logged_losses

TOKENIZER = Tokenizer(Schema.load())


def make_trainer(source: OcrSource, out: Path, log: Log = print, **changes: Any) -> RecognitionTrainer:
    settings = {"part": "text_recognizer", "preset": "nano", "sources": [source], "max_minutes": 5, "epochs": 1}
    settings |= {"batch_size": 4, "batches_per_epoch": 3, "val_fraction": 0.2, "p_drawn": 0.0, **changes}
    config = RecognizerConfig.model_validate(settings)
    return RecognitionTrainer(config, out, make_fabric(accelerator="cpu"), log)


def weights(file: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(file, TOKENIZER).network.state_dict()


def test_only_the_recognizer_is_trained(source: OcrSource, tmp_path: Path) -> None:
    init_from = tmp_path / "init.safetensors"
    network = build_network(preset("nano"), TOKENIZER, ("text_detector",))
    save_checkpoint(init_from, network, TOKENIZER, calibration="{}", text_detector_epochs="3")
    lines: list[str] = []
    trainer = make_trainer(source, tmp_path / "run", lines.append, init_from=init_from, pretrained_ocr="ppocrv6-tiny")
    assert lines == ["text_recognizer: 76 tensors from ppocrv6-tiny"]
    counts = trainer.run()
    assert counts is not None and counts.lines == len(trainer.val_items) > 0
    trained = load_checkpoint(tmp_path / "run" / "weights.safetensors", TOKENIZER)
    before, after = weights(init_from), trained.network.state_dict()
    assert {name.split(".")[0] for name in after.keys() - before.keys()} == {"text_recognizer"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    metadata = {"text_detector_epochs": "3", "text_recognizer_epochs": "1", "calibration": "{}"}
    assert metadata.items() <= trained.metadata.items()


@pytest.mark.usefixtures("fonts")
def test_a_resumed_run_ends_as_an_uninterrupted_one(source: OcrSource, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"p_drawn": 0.4, "p_repainted": 0.3, "val_fraction": 0.0}
    make_trainer(source, tmp_path / "whole", **settings).run()
    interrupted = tmp_path / "interrupted"
    make_trainer(source, interrupted, max_minutes=1e-6, **settings).run()
    lines: list[str] = []
    resumed = make_trainer(source, interrupted, lines.append, **settings)
    assert lines == ["resumed at epoch 0, step 1"]
    resumed.run()
    whole, pieces = (weights(tmp_path / run / "weights.safetensors") for run in ("whole", "interrupted"))
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)


def test_the_loss_falls(source: OcrSource, tmp_path: Path) -> None:
    make_trainer(source, tmp_path, epochs=5, batches_per_epoch=6, learning_rate=0.003, val_fraction=0.0).run()
    losses = logged_losses(tmp_path)
    assert len(losses) == 30
    assert np.mean(losses[-6:]) < 0.7 * np.mean(losses[:6])


def test_rendered_lines_need_no_labelled_ones(fonts: object, tmp_path: Path) -> None:
    (tmp_path / "ocr.jsonl").write_text("")
    source = OcrSource(photos=tmp_path, ocr=tmp_path / "ocr.jsonl")
    make_trainer(source, tmp_path / "run", p_drawn=1.0, batches_per_epoch=1).run()
    assert (tmp_path / "run" / "weights.safetensors").is_file()
    with pytest.raises(ValueError, match="set p_drawn to 1"):
        make_trainer(source, tmp_path / "other", p_drawn=0.5)
