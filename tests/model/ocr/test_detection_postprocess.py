"""Maps give back the lines that they were drawn from."""

import math

import numpy as np
import pytest

from resformer.model.images.resize import fitted
from resformer.model.networks.text_detector import CELL, MAPS, PRINT
from resformer.model.ocr.detection_postprocess import find_strips
from resformer.model.ocr.line_crop import cut
from resformer.model.ocr.text_line import Line
from tests.train.ocr.detection.ideal_maps import as_maps


def line(text: str, x: float, y: float, width: float, height: float, degrees: float = 0) -> Line:
    """A line around (x, y), turned clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = np.array([cos, sin]) * width / 2, np.array([-sin, cos]) * height / 2
    middle = np.array([x, y])
    a, b, c, d = (
        tuple(map(float, p))
        for p in (middle - across - down, middle + across - down, middle + across + down, middle - across + down)
    )
    return Line((a, b, c, d), text, 0.9)


@pytest.mark.parametrize("degrees", [0, 7, -12, 30, 45, 172, 180])
@pytest.mark.parametrize("height", [10, 24, 60])
def test_lines_are_found_where_they_are(degrees: float, height: float) -> None:
    drawn = line("500 gram", 150, 170, 160, height, degrees)
    (strip,) = find_strips(as_maps([drawn], 320), (1.0, 1.0))
    assert strip.corners == pytest.approx(np.array(drawn.reading_corners), abs=5)
    assert strip.print > 0.9 and strip.digit > 0.9 and strip.cue > 0.9


def test_a_line_is_as_sure_of_digits_as_it_holds_them() -> None:
    lines = [line("Golden", 100, 40, 120, 20), line("12 34", 100, 100, 80, 20), line("weight", 100, 160, 90, 20)]
    strips = find_strips(as_maps(lines, 320), (2.0, 2.0))
    assert [(round(s.digit), round(s.cue)) for s in strips] == [(0, 0), (1, 0), (0, 1)]
    assert strips[1].corners.mean(axis=0) == pytest.approx([200, 200], abs=4)  # in pixels of a photo twice as large


def test_close_lines_stay_apart() -> None:
    lines = [line("Protein 12 g", 150, 100 + 17 * i, 200, 14) for i in range(5)]
    assert len(find_strips(as_maps(lines, 320), (1.0, 1.0))) == 5


def test_lines_that_run_together_are_parted() -> None:
    lines = [line("Net 12 g", 150, 100, 200, 24), line("Load 5 kg", 150, 130, 200, 24)]
    maps = as_maps(lines, 320)
    # Print from the middle of one line to that of the other, but less sure.
    between = maps[PRINT, 92 // CELL : 136 // CELL, 60 // CELL : 240 // CELL]
    between[between < 0] = 0.1
    strips = find_strips(maps, (1.0, 1.0))
    assert len(strips) == 2
    for strip, drawn in zip(sorted(strips, key=lambda s: s.corners[0, 1]), lines, strict=True):
        assert strip.corners == pytest.approx(np.array(drawn.corners), abs=8)


def test_a_photo_without_print_has_no_strips() -> None:
    assert find_strips(np.full((MAPS, 20, 20), -5.0, np.float32), (1.0, 1.0)) == []


@pytest.mark.parametrize(("height", "width"), [(960, 960), (300, 1200), (20, 30), (1, 4000)])
def test_photos_fit_the_network(height: int, width: int) -> None:
    sized, (x, y) = fitted(np.zeros((height, width, 3), np.uint8), 512)
    assert sized.shape[0] % 32 == sized.shape[1] % 32 == 0
    assert max(sized.shape) <= 512
    assert (sized.shape[1] * x, sized.shape[0] * y) == pytest.approx((width, height))


def test_strips_are_cut_to_be_read() -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[80:120, 100:150] = 255  # the left half of a strip of 100 x 40
    corners = np.array([[100, 80], [200, 80], [200, 120], [100, 120]], float)
    upright = cut(photo, corners)
    assert upright.shape == (48, 120, 3)
    assert upright[2:-2, 2:56].min() > 200 and upright[:, 64:118].max() < 50
    upside_down = cut(photo, np.roll(corners, 2, axis=0))
    assert upside_down[2:-2, 64:118].min() > 200
    assert cut(np.full((900, 900, 3), 7, np.uint8), corners * 4).shape == (48, 120, 3)
