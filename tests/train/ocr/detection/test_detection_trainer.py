"""Maps are learned from what a reader found."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from resformer.model.inference.checkpoint import build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, MAP_STRIDE, NUM_MAPS, TEXT
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.text_line import TextLine
from resformer.model.schema.schema import Schema
from resformer.train.config import MapsConfig, Source, load_config
from resformer.train.data.quantity_records import Record
from resformer.train.ocr.detection.detection_loss import map_loss
from resformer.train.ocr.detection.detection_trainer import MapsTrainer
from resformer.train.ocr.detection.line_matching import Found, compare_lines
from resformer.train.ocr.detection.photo_crops import Cuts
from resformer.train.ocr.detection.score_map_targets import TRUTHS, TURN, VALID, map_targets
from tests.paths import CONFIGS, DATA
from tests.train.ocr.detection.ideal_maps import SURE, as_maps

LINE = TextLine(((40, 100), (240, 100), (240, 140), (40, 140)), "NET 500", 0.9)


def config(source: Source, **changes: object) -> MapsConfig:
    settings = {"preset": "nano", "sources": (source,), "minutes": 5, "epochs": 1, "batch_size": 4, "side": 160}
    return MapsConfig(**{**settings, "maps_size": 320, **changes})  # type: ignore[arg-type]


def test_truth_of_a_line() -> None:
    truth = map_targets([LINE], np.eye(2, 3), 320)
    assert truth.shape == (TRUTHS, 320 // MAP_STRIDE, 320 // MAP_STRIDE)
    row = slice(None), 120 // MAP_STRIDE
    kinds = truth[row]
    on = np.flatnonzero(kinds[TEXT])
    assert (on[0] * MAP_STRIDE, on[-1] * MAP_STRIDE) == pytest.approx((50, 230), abs=6)
    digits = np.flatnonzero(kinds[DIGIT])
    assert (digits[0] * MAP_STRIDE, digits[-1] * MAP_STRIDE) == pytest.approx((150, 230), abs=12)
    cues = np.flatnonzero(kinds[CUE])
    assert (cues[0] * MAP_STRIDE, cues[-1] * MAP_STRIDE) == pytest.approx((50, 130), abs=12)
    assert np.exp(kinds[HEIGHT, on]) == pytest.approx(40 / MAP_STRIDE)
    beside = 103 // MAP_STRIDE, 100 // MAP_STRIDE  # the band, within the line
    assert truth[VALID][beside] == 1 and truth[TEXT][beside] == 0
    assert truth[VALID, 10, 10] == 1 and not truth[TEXT, 10].any()


def test_truth_of_turned_and_tiny_lines() -> None:
    clockwise = np.array([[0, -1, 320], [1, 0, 0]], float)
    assert set(map_targets([LINE], clockwise, 320)[TURN].ravel()) == {0, 1}
    tiny = map_targets([LINE], np.array([[0.1, 0, 0], [0, 0.1, 0]]), 320)
    assert not tiny[TEXT].any()
    assert (tiny[VALID] == 0).any()


def test_loss_is_smallest_for_the_truth() -> None:
    truth = torch.from_numpy(map_targets([LINE], np.eye(2, 3), 320))[None]
    right = torch.from_numpy(as_maps([LINE], 320))[None]
    least = map_loss(right, truth).item()
    assert 0 <= least < 0.05
    for channel in range(NUM_MAPS):
        wrong = right.clone()
        wrong[:, channel] = 3 * SURE - 4 * wrong[:, channel]
        assert map_loss(wrong, truth).item() > least + 0.1, channel
    empty = torch.zeros_like(truth)
    assert torch.isfinite(map_loss(right, empty))


def test_cuts_hold_the_print_of_their_photo(source: Source) -> None:
    assert source.photos is not None
    corners = ((0, 0), (640, 0), (640, 640), (0, 640))
    record = Record("0.png", source.photos / "0.png", 640, 640, (TextLine(corners, "1", 0.9),), ())
    cuts = Cuts([record] * 6, side=160, batch_size=4, seed=0, epoch=1)
    assert len(cuts) == 2
    photos, truth = cuts[0]
    assert (photos.dtype, photos.shape) == (torch.uint8, (4, 3, 160, 160))
    assert truth.shape == (4, TRUTHS, 160 // MAP_STRIDE, 160 // MAP_STRIDE)
    assert torch.equal(cuts[0][0], photos)
    assert not torch.equal(cuts[1][0][:2], photos[:2])
    # The line is as wide as the photo: its band is on every cut.
    assert all(one[TEXT].any() for one in truth)


def test_lines_are_compared() -> None:
    square = np.array([[40, 100], [240, 100], [240, 140], [40, 140]], float)
    strips = [
        DetectedLine(square, 0.9, 0.9, 0.1),
        DetectedLine(square + 300, 0.9, 0.9, 0.1),
        DetectedLine(square + 600, 0.9, 0.1, 0.1),
    ]
    other = TextLine(((40, 700), (240, 700), (240, 740), (40, 740)), "GOLDEN", 0.9)
    found = compare_lines(strips, [LINE, other])
    assert found == Found(lines=2, matched=1, digits=1, digits_matched=1, strips=3, seen=2)
    assert found.f1 == pytest.approx(2 / 3)
    assert found + found == Found(4, 2, 2, 2, 6, 4)
    assert "1 of 1 found among 2 strips; all lines: 1 of 2 among 3" in found.table()


def test_training_changes_stem_and_maps_alone(source: Source, tmp_path: Path) -> None:
    reading = tmp_path / "reading.safetensors"
    tokenizer = Tokenizer(Schema.load())
    network = build_network(preset("nano"), tokenizer, ("text_recognizer",))
    save_checkpoint(reading, network, tokenizer, temperature=1.0)
    first = MapsTrainer(config(source, start=reading, hold_back=0.2), tmp_path / "first", "cpu")
    assert {r.name for r in first.train_records}.isdisjoint(r.name for r in first.held_records)
    assert len(first.train_records) + len(first.held_records) == 16
    assert first.run() is not None
    start = tmp_path / "first" / "weights.safetensors"
    again = config(source, start=start, seed=1)
    MapsTrainer(again, tmp_path / "again", "cpu").run()
    before, after = (
        load_checkpoint(tmp_path / name / "weights.safetensors", tokenizer).network.state_dict()
        for name in ("first", "again")
    )
    assert any(name.startswith("text_recognizer.") for name in after)
    for name in before:
        if not name.startswith("text_detector."):
            assert torch.equal(before[name], after[name]), name
    assert not torch.equal(before["text_detector.head.details.0.weight"], after["text_detector.head.details.0.weight"])


def test_the_maps_of_a_run_learn(source: Source, tmp_path: Path) -> None:
    trainer = MapsTrainer(config(source, epochs=12, learning_rate=0.003, hold_back=0.0), tmp_path, "cpu")
    losses = []
    step = trainer._step
    trainer._step = lambda batch: losses.append(step(batch)) or losses[-1]  # type: ignore
    trainer.run()
    assert len(losses) == 48
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])


def test_weights_of_another_shape_are_refused(source: Source, tmp_path: Path) -> None:
    save_file({"named": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="was made by other code"):
        MapsTrainer(config(source, start=tmp_path / "other.safetensors"), tmp_path, "cpu")


def test_shipped_config_loads_where_its_data_is() -> None:
    path = CONFIGS / "maps.yaml"
    if not DATA.exists():
        pytest.skip("the photos are not beside this checkout")
    loaded = load_config(path, MapsConfig)
    assert loaded.start is not None
    with safe_open(loaded.start, "pt") as file:
        assert file.metadata()["preset"] == loaded.preset
