"""Text detectors on photos of the validation split."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.parts import PARTS
from resformer.model.networks.presets import preset
from resformer.model.schema.schema import Schema
from resformer.train.evaluation.detection_accuracy import benchmark_detection, score_detector
from resformer.train.ocr.ocr_records import read_ocr_sources
from resformer.train.settings.sources import OcrSource

TOKENIZER = Tokenizer(Schema.load())


def test_detected_lines_are_counted_on_larger_photos_too(source: OcrSource) -> None:
    records = read_ocr_sources([source])
    boxes = [line.box for line in records[0].lines]

    def detect(photo: np.ndarray) -> list[tuple[float, float, float, float]]:
        """The boxes of the first photo; its lines are of a version twice as large."""
        return [(x0 / 2, y0 / 2, x1 / 2, y1 / 2) for x0, y0, x1, y1 in boxes]

    score = score_detector("all", detect, records[:1])
    assert (score.recall, score.boxes_per_photo) == (1.0, 1.0)
    none = score_detector("none", lambda photo: [], records)
    assert (none.recall, none.boxes_per_photo) == (0.0, 0.0)


def test_all_detectors_are_scored(source: OcrSource, tmp_path: Path) -> None:
    entry = {"photos": str(source.photos), "ocr": str(source.ocr)}
    settings = {"part": "text_detector", "preset": "nano", "max_minutes": 1, "epochs": 1, "val_fraction": 0.3}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings | {"sources": [entry]}))
    network = build_network(preset("nano"), TOKENIZER, PARTS)
    save_checkpoint(tmp_path / "w.safetensors", network, TOKENIZER)
    figures = benchmark_detection(config, weights=tmp_path / "w.safetensors")
    recall = {score["detector"]: score["recall"] for score in figures["detectors"]}
    assert "built-in, 512 pixels" in recall
    assert recall["PP-OCRv6 small"] == 1.0  # large black text on a light ground
    save_checkpoint(tmp_path / "b.safetensors", build_network(preset("nano"), TOKENIZER, ()), TOKENIZER)
    with pytest.raises(ValueError, match=r"has no text detector; train one with .*text_detector\.yaml"):
        benchmark_detection(config, weights=tmp_path / "b.safetensors")
