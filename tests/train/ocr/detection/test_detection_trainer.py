"""Training of the text detector."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from resformer.model.inference.checkpoint import build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.schema.schema import SCHEMA_FILE, Schema
from resformer.train.engine.fabric import make_fabric
from resformer.train.engine.trainer import Log
from resformer.train.ocr.detection.detection_trainer import DetectionTrainer
from resformer.train.settings.run_settings import DetectorConfig
from resformer.train.settings.sources import OcrSource
from tests.train.ocr.logged_losses import logged_losses

TOKENIZER = Tokenizer(Schema.load())


def make_trainer(source: OcrSource, out: Path, log: Log = print, **changes: Any) -> DetectionTrainer:
    settings = {"part": "text_detector", "preset": "nano", "sources": [source], "max_minutes": 5, "epochs": 1}
    settings |= {"batch_size": 4, "crop_side": 96, "eval_max_side": 160, "val_fraction": 0.2, **changes}
    config = DetectorConfig.model_validate(settings)
    return DetectionTrainer(config, out, make_fabric(accelerator="cpu"), log)


def weights(file: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(file, TOKENIZER).network.state_dict()


def test_only_the_detector_is_trained(source: OcrSource, tmp_path: Path) -> None:
    init_from = tmp_path / "init.safetensors"
    network = build_network(preset("nano"), TOKENIZER, ("text_recognizer",))
    save_checkpoint(init_from, network, TOKENIZER, calibration="{}", text_recognizer_epochs="3")
    lines: list[str] = []
    trainer = make_trainer(source, tmp_path / "run", lines.append, init_from=init_from, pretrained_ocr="ppocrv6-tiny")
    assert lines == ["text_detector: 162 tensors from ppocrv6-tiny"]
    assert len(trainer.train_items) + len(trainer.val_items) == 16
    counts = trainer.run()
    assert counts is not None and counts.lines == len(trainer.val_items) > 0
    trained = load_checkpoint(tmp_path / "run" / "weights.safetensors", TOKENIZER)
    before, after = weights(init_from), trained.network.state_dict()
    assert {name.split(".")[0] for name in after.keys() - before.keys()} == {"text_detector"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    metadata = {"text_recognizer_epochs": "3", "text_detector_epochs": "1", "calibration": "{}"}
    assert metadata.items() <= trained.metadata.items()


def test_a_detector_is_trained_further(source: OcrSource, tmp_path: Path) -> None:
    make_trainer(source, tmp_path / "first").run()
    init_from = tmp_path / "first" / "weights.safetensors"
    make_trainer(source, tmp_path / "second", init_from=init_from, seed=1, val_fraction=0.0).run()
    before, after = (weights(tmp_path / run / "weights.safetensors") for run in ("first", "second"))
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"text_detector"}


def test_a_resumed_run_ends_as_an_uninterrupted_one(source: OcrSource, tmp_path: Path) -> None:
    make_trainer(source, tmp_path / "whole", epochs=2, val_fraction=0.0).run()
    interrupted = tmp_path / "interrupted"
    make_trainer(source, interrupted, epochs=2, val_fraction=0.0, max_minutes=1e-6).run()
    lines: list[str] = []
    resumed = make_trainer(source, interrupted, lines.append, epochs=2, val_fraction=0.0)
    assert lines == ["resumed at epoch 0, step 1"]
    resumed.run()
    whole, pieces = (weights(tmp_path / run / "weights.safetensors") for run in ("whole", "interrupted"))
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)


def test_the_loss_falls(source: OcrSource, tmp_path: Path) -> None:
    make_trainer(source, tmp_path, epochs=8, learning_rate=0.003, val_fraction=0.0).run()
    losses = logged_losses(tmp_path)
    assert len(losses) == 32
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])


def test_weights_for_as_many_other_entities_are_refused(source: OcrSource, tmp_path: Path) -> None:
    init_from, schema = tmp_path / "init.safetensors", tmp_path / "schema.yaml"
    save_checkpoint(init_from, build_network(preset("nano"), TOKENIZER, ("resformer",)), TOKENIZER)
    text = SCHEMA_FILE.read_text().replace("taxonomies/", f"{SCHEMA_FILE.parent}/taxonomies/")
    schema.write_text(text.replace("name: voltage", "name: rated_voltage"))
    with pytest.raises(ValueError, match="does not fit: its Resformer was trained for other entities, units or labels"):
        make_trainer(source, tmp_path / "run", init_from=init_from, schema=schema)


def test_weights_of_another_preset_are_refused(source: OcrSource, tmp_path: Path) -> None:
    init_from = tmp_path / "other.safetensors"
    save_checkpoint(init_from, build_network(preset("small"), TOKENIZER, ("resformer",)), TOKENIZER)
    with pytest.raises(ValueError, match="does not fit"):
        make_trainer(source, tmp_path, init_from=init_from)
