"""Finders are compared on photos that training holds back."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.resformer import OPTIONAL_PARTS
from resformer.model.schema.schema import Schema
from resformer.train.config import Source
from resformer.train.engine.part_trainer import held_back, photos_of
from resformer.train.evaluation.detection_accuracy import main, measure

TOKENIZER = Tokenizer(Schema.load())


def test_found_lines_are_counted(source: Source) -> None:
    records = photos_of([source])
    assert len(records) == 16
    right = {record.name: [line.box for line in record.lines] for record in records}

    def halves(photo: np.ndarray) -> list[tuple[float, float, float, float]]:
        """The boxes of the first photo, at the size of the photos: half of that of the words."""
        return [(x0 / 2, y0 / 2, x1 / 2, y1 / 2) for x0, y0, x1, y1 in right[records[0].name]]

    row = measure(halves, records[:1], "one")
    assert row.startswith("| one | 1.000 | 1.0 |")
    assert measure(lambda photo: [], records, "none").startswith("| none | 0.000 | 0.0 |")


def test_photos_are_held_back_by_name(source: Source) -> None:
    records = photos_of([source])
    train, held = held_back(records, 0.3)
    assert len(train) + len(held) == 16 and train and held
    again = held_back(list(reversed(records)), 0.3)[1]
    assert {r.name for r in held} == {r.name for r in again}


def test_table_names_all_finders(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"kind": "read", "photos": str(source.photos), "words": str(source.words)}
    config = {"preset": "nano", "minutes": 1, "epochs": 1, "hold_back": 0.3, "sources": [entry]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    network = build_network(preset("nano"), TOKENIZER, OPTIONAL_PARTS)
    save_checkpoint(tmp_path / "w.safetensors", network, TOKENIZER, temperature=1.0)
    command = ["--config", str(tmp_path / "config.yaml"), "--weights"]
    assert main([*command, str(tmp_path / "w.safetensors")]) == 0
    out = capsys.readouterr().out
    assert "| ours, 512 pixels |" in out
    assert "| PP-OCRv6 small | 1.000 |" in out  # large black print on a light ground
    blind = build_network(preset("nano"), TOKENIZER)
    save_checkpoint(tmp_path / "b.safetensors", blind, TOKENIZER, temperature=1.0)
    assert main([*command, str(tmp_path / "b.safetensors")]) == 2
    assert "train.run --maps" in capsys.readouterr().err
