"""Drawn print says what its truth says, and is the same for the same seed."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from resformer.model.ocr.charset import fold_to_charset
from resformer.model.quantities.parser import find_quantities
from resformer.model.schema.schema import Schema
from resformer.train.ocr.synthetic import contact_sheet as sheet
from resformer.train.ocr.synthetic.camera import photographed
from resformer.train.ocr.synthetic.drawn_lines import StripPress, jittered
from resformer.train.ocr.synthetic.fonts import Fonts, load_fonts
from resformer.train.ocr.synthetic.ink import draw_ink
from resformer.train.ocr.synthetic.repaint import repainted
from resformer.train.ocr.synthetic.surfaces import LEAST_CONTRAST, colours, paint, surface
from resformer.train.ocr.synthetic.texts import PRINTED, Texts

SCHEMA = Schema.load()
TEXTS = Texts(SCHEMA)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_spelling_is_understood() -> None:
    """What is drawn as a value of an entity must be that value to the parser, or the truth would be wrong."""
    random = rng()
    for entity in TEXTS.entities:
        for _ in range(60):
            quantity = TEXTS.quantity(entity, random)
            text = TEXTS.spelled(quantity, random)
            if "," in text:
                continue  # a comma stands for a point or for thousands
            read = {str(match.quantity) for match in find_quantities(text, entity.units)}
            assert str(quantity) in read, (entity.name, text)


def test_printed_units_are_those_of_the_schema() -> None:
    known = {unit for entity in TEXTS.entities for unit in entity.units}
    assert set(PRINTED) <= known


def test_lines_can_be_read_by_the_network() -> None:
    random = rng()
    lines = [TEXTS.line(random) for _ in range(400)]
    assert len(set(lines)) > 300
    known = [fold_to_charset(line) for line in lines]
    assert sum(line is not None for line in known) > 0.9 * len(lines)
    assert 0.4 < sum(any(c.isdigit() for c in line) for line in lines) / len(lines) < 0.9
    assert [TEXTS.line(rng(5)) for _ in range(3)] == [TEXTS.line(rng(5)) for _ in range(3)]


def test_fonts_of_training_are_not_those_held_out(fonts: Fonts) -> None:
    ours = {fonts.pick("500 g", rng(i)).file for i in range(300)}
    held = {load_fonts(held_out=True).pick("500 g", rng(i)).file for i in range(60)}
    assert len(ours) > 100 and len(held) > 10
    assert ours.isdisjoint(held)


def test_displays_show_digits_alone(fonts: Fonts) -> None:
    assert any(fonts.pick("12.5", rng(i)).digits_only for i in range(200))
    assert not any(fonts.pick("12.5 V", rng(i)).digits_only for i in range(200))
    with pytest.raises(ValueError, match="no font has all characters"):
        fonts.pick("\U0001f600", rng())


def test_letters_may_stand_apart(fonts: Fonts, monkeypatch: pytest.MonkeyPatch) -> None:
    font = next(f for f in (fonts.pick("500 g", rng(i)) for i in range(99)) if not f.digits_only)
    monkeypatch.setattr("resformer.train.ocr.synthetic.ink.DOTTED", 0)
    monkeypatch.setattr("resformer.train.ocr.synthetic.ink.CURVED", 0)

    def width_and_letters(spaced: float) -> tuple[float, float]:
        monkeypatch.setattr("resformer.train.ocr.synthetic.ink.SPACED", spaced)
        drawn = [draw_ink("HHHH", font, 30, rng(seed)) for seed in range(20)]
        letters = [cv2.connectedComponents((ink > 0.3).astype(np.uint8))[0] - 1 for ink in drawn]
        return float(np.mean([ink.shape[1] for ink in drawn])), float(np.mean(letters))

    (close, _), (wide, letters) = width_and_letters(0), width_and_letters(1)
    assert wide > 1.1 * close
    assert letters == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("height", [8, 20, 40])
def test_ink_is_as_high_as_asked_for(fonts: Fonts, height: float) -> None:
    for seed in range(10):
        font = fonts.pick("H0 1", rng(seed))
        ink = draw_ink("H0", font, height, rng(seed), plain=True)
        assert ink.shape[0] == pytest.approx(height, abs=1.5)
        assert ink.min() >= 0 and 0.59 < ink.max() <= 1


def test_print_can_be_told_from_its_ground() -> None:
    random = rng()
    for _ in range(50):
        ground, ink = colours(random)
        assert abs(ground.mean() - ink.mean()) > LEAST_CONTRAST
        assert surface(30, 50, ground, random).shape == (30, 50, 3)


def test_ink_beyond_the_edge_is_left_out() -> None:
    image = np.zeros((10, 10, 3), np.float32)
    paint(image, np.ones((4, 4), np.float32), -2, 8, np.full(3, 9, np.float32))
    assert image.sum() == 2 * 2 * 3 * 9
    paint(image, np.ones((4, 4), np.float32), 20, 20, np.full(3, 9, np.float32))
    assert image.sum() == 2 * 2 * 3 * 9


def test_photographs_are_pixels() -> None:
    for seed in range(20):
        photo = photographed(np.full((20, 33, 3), 300, np.float32), rng(seed))
        assert photo.dtype == np.uint8 and photo.shape == (20, 33, 3)


def test_strips_are_the_same_for_the_same_seed(fonts: Fonts) -> None:
    press = StripPress(TEXTS, 32)
    one, same, other = press.strip(rng(1)), press.strip(rng(1)), press.strip(rng(2))
    assert one.text == same.text and np.array_equal(one.pixels, same.pixels)
    assert one.text != other.text
    for seed in range(30):
        strip = press.strip(rng(seed))
        assert strip.pixels.shape[0] == 32 and strip.pixels.shape[2] == 3
        assert 0 < len(strip.text) <= 40
        assert 6 <= strip.text_height <= 40


def test_jitter_keeps_the_line() -> None:
    corners = np.array([[10, 20], [110, 20], [110, 40], [10, 40]], float)
    random = rng()
    for _ in range(200):
        moved = jittered(corners, random)
        assert moved == pytest.approx(corners, abs=9)
        (ax, ay), (bx, by), (cx, cy), _ = moved
        assert (bx - ax) * (cy - by) - (by - ay) * (cx - bx) > 0  # still clockwise
    upside_down = jittered(np.roll(corners, 2, axis=0), random)
    assert upside_down[0] == pytest.approx([110, 40], abs=9)


def test_real_print_is_replaced(fonts: Fonts) -> None:
    photo = np.full((60, 240, 3), (200, 220, 240), np.uint8)
    cv2.putText(photo, "GOLDEN", (30, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (120, 20, 20), 3, cv2.LINE_AA)
    corners = np.array([[28, 14], [152, 14], [152, 46], [28, 46]], float)
    made = repainted(photo, corners, "5 g", fonts, rng())
    assert made is not None
    pixels, drawn = made
    (x0, y0), (x1, y1) = drawn[0].round().astype(int), drawn[2].round().astype(int)
    assert x0 > 20 and x1 < 160
    inside = pixels[y0:y1, x0:x1]
    darkest = inside.reshape(-1, 3)[inside.sum(axis=2).argmin()].astype(float)
    assert darkest == pytest.approx([120, 20, 20], abs=60)  # in the colour of the print before
    left = pixels.copy()
    left[y0:y1, x0:x1] = 255
    assert left.min() > 150  # nothing of it is left
    assert repainted(np.full_like(photo, 99), corners, "5 g", fonts, rng()) is None
    assert repainted(photo, corners, "5 gram of something that is much too long for this", fonts, rng()) is None


def test_sheet_shows_what_is_drawn(fonts: Fonts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sheet.main([str(tmp_path / "new" / "drawn.png")]) == 0
    assert sheet.main([str(tmp_path / "strips.png"), "--held-out"]) == 0
    for name in ("new/drawn.png", "strips.png"):
        assert np.ptp(cv2.imread(str(tmp_path / name))) > 200
    assert "a second on one core" in capsys.readouterr().out
