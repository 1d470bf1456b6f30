"""The lines extracted from ideal score maps are those the maps were drawn from."""

import math

import numpy as np
import pytest

from resformer.model.images.resize import resize_for_detector
from resformer.model.networks.text_detection import MAP_STRIDE, NUM_MAPS, TEXT
from resformer.model.ocr.detection_postprocess import extract_lines
from resformer.model.ocr.line_crop import crop_line
from resformer.model.ocr.text_line import TextLine
from tests.train.ocr.detection.ideal_maps import as_maps


def line(text: str, x: float, y: float, width: float, height: float, degrees: float = 0) -> TextLine:
    """A line around (x, y), turned clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, down = np.array([cos, sin]) * width / 2, np.array([-sin, cos]) * height / 2
    middle = np.array([x, y])
    a, b, c, d = (
        (float(p[0]), float(p[1]))
        for p in (middle - along - down, middle + along - down, middle + along + down, middle - along + down)
    )
    return TextLine((a, b, c, d), text, 0.9)


@pytest.mark.parametrize("degrees", [0, 7, -12, 30, 45, 172, 180])
@pytest.mark.parametrize("height", [10, 24, 60])
def test_lines_are_found_where_they_are(degrees: float, height: float) -> None:
    drawn = line("500 gram", 150, 170, 160, height, degrees)
    (detected,) = extract_lines(as_maps([drawn], 320), (1.0, 1.0))
    assert detected.corners == pytest.approx(np.array(drawn.reading_corners), abs=5)
    assert detected.text > 0.9 and detected.digit > 0.9 and detected.cue > 0.9


def test_lines_have_probabilities_of_digits_and_cues() -> None:
    lines = [line("Golden", 100, 40, 120, 20), line("12 34", 100, 100, 80, 20), line("weight", 100, 160, 90, 20)]
    detected = extract_lines(as_maps(lines, 320), (2.0, 2.0))
    assert [(round(d.digit), round(d.cue)) for d in detected] == [(0, 0), (1, 0), (0, 1)]
    assert detected[1].corners.mean(axis=0) == pytest.approx([200, 200], abs=4)  # in pixels of a photo twice as large


def test_close_lines_stay_apart() -> None:
    lines = [line("Protein 12 g", 150, 100 + 17 * i, 200, 14) for i in range(5)]
    assert len(extract_lines(as_maps(lines, 320), (1.0, 1.0))) == 5


def test_touching_lines_are_separated() -> None:
    lines = [line("Net 12 g", 150, 100, 200, 24), line("Load 5 kg", 150, 130, 200, 24)]
    maps = as_maps(lines, 320)
    # Text from the middle of one line to that of the other, but less probable.
    between = maps[TEXT, 92 // MAP_STRIDE : 136 // MAP_STRIDE, 60 // MAP_STRIDE : 240 // MAP_STRIDE]
    between[between < 0] = 0.1
    detected = sorted(extract_lines(maps, (1.0, 1.0)), key=lambda line: line.corners[0, 1])
    assert len(detected) == 2
    for found, drawn in zip(detected, lines, strict=True):
        assert found.corners == pytest.approx(np.array(drawn.corners), abs=8)


def test_a_photo_without_text_has_no_lines() -> None:
    assert extract_lines(np.full((NUM_MAPS, 20, 20), -5.0, np.float32), (1.0, 1.0)) == []


@pytest.mark.parametrize(("height", "width"), [(960, 960), (300, 1200), (20, 30), (1, 4000)])
def test_photos_are_resized_for_the_detector(height: int, width: int) -> None:
    resized, (x, y) = resize_for_detector(np.zeros((height, width, 3), np.uint8), 512)
    assert resized.shape[0] % 32 == resized.shape[1] % 32 == 0
    assert max(resized.shape) <= 512
    assert (resized.shape[1] * x, resized.shape[0] * y) == pytest.approx((width, height))


def test_lines_are_cropped_in_reading_order() -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[80:120, 100:150] = 255  # the left half of a line of 100 x 40
    corners = np.array([[100, 80], [200, 80], [200, 120], [100, 120]], float)
    upright = crop_line(photo, corners, 48)
    assert upright.shape == (48, 120, 3)
    assert upright[2:-2, 2:56].min() > 200 and upright[:, 64:118].max() < 50
    upside_down = crop_line(photo, np.roll(corners, 2, axis=0), 48)
    assert upside_down[2:-2, 64:118].min() > 200
    assert crop_line(np.full((900, 900, 3), 7, np.uint8), corners * 4, 48).shape == (48, 120, 3)
