"""Targets of score maps, and the loss that is least for them."""

import numpy as np
import pytest
import torch

from resformer.model.networks.text_detection import CUE, DIGIT, HEIGHT, MAP_STRIDE, NUM_MAPS, TEXT
from resformer.model.ocr.text_line import TextLine
from resformer.train.ocr.detection.detection_loss import detection_loss
from resformer.train.ocr.detection.score_map_targets import (
    LOSS_MASK,
    NUM_TARGETS,
    QUARTER_TURNS,
    score_map_targets,
)
from tests.train.ocr.detection.ideal_maps import CUES, LOGIT, as_maps

LINE = TextLine(((40, 100), (240, 100), (240, 140), (40, 140)), "NET 500", 0.9)


def targets(transform: np.ndarray) -> np.ndarray:
    return score_map_targets([LINE], transform, 320, CUES)


def test_targets_of_a_line() -> None:
    maps = targets(np.eye(2, 3))
    assert maps.shape == (NUM_TARGETS, 320 // MAP_STRIDE, 320 // MAP_STRIDE)
    row = maps[:, 120 // MAP_STRIDE]
    for channel, extent, error in ((TEXT, (50, 230), 6), (DIGIT, (150, 230), 12), (CUE, (50, 130), 12)):
        columns = MAP_STRIDE * np.flatnonzero(row[channel])
        assert (columns[0], columns[-1]) == pytest.approx(extent, abs=error)
    assert np.exp(row[HEIGHT, row[TEXT] > 0]) == pytest.approx(40 / MAP_STRIDE)
    assert maps[LOSS_MASK].all()
    beside_kernel = 103 // MAP_STRIDE, 100 // MAP_STRIDE
    assert maps[TEXT][beside_kernel] == 0


def test_targets_of_turned_text() -> None:
    clockwise = np.array([[0, -1, 320], [1, 0, 0]], float)
    assert set(targets(clockwise)[QUARTER_TURNS].ravel()) == {0, 1}


def test_tiny_text_is_left_out_of_the_loss() -> None:
    maps = targets(np.array([[0.1, 0, 0], [0, 0.1, 0]]))
    assert not maps[TEXT].any()
    assert 0 < (maps[LOSS_MASK] == 0).mean() < 0.1


def test_cues_are_whole_words() -> None:
    text = "HEIGHT 12 inch, winch"
    assert [match.group().lower() for match in CUES.finditer(text)] == ["height", "inch"]


def test_loss_is_least_for_the_targets() -> None:
    expected = torch.from_numpy(targets(np.eye(2, 3)))[None]
    ideal = torch.from_numpy(as_maps([LINE], 320))[None]
    least = detection_loss(ideal, expected).item()
    assert 0 <= least < 0.05
    for channel in range(NUM_MAPS):
        wrong = ideal.clone()
        wrong[:, channel] = 3 * LOGIT - 4 * wrong[:, channel]
        assert detection_loss(wrong, expected).item() > least + 0.1, channel


def test_loss_of_a_photo_without_text_is_finite() -> None:
    side = 320 // MAP_STRIDE
    assert torch.isfinite(detection_loss(torch.zeros(1, NUM_MAPS, side, side), torch.zeros(1, NUM_TARGETS, side, side)))
