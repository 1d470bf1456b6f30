"""Drawn print says what its truth says, and is the same for the same seed."""

import numpy as np
import pytest

from model.characters import folded
from model.quantity import find_quantities
from model.schema import Schema
from train.render.camera import photographed
from train.render.fonts import Fonts, load_fonts
from train.render.ink import draw_ink
from train.render.strips import StripPress, jittered
from train.render.surfaces import LEAST_CONTRAST, colours, paint, surface
from train.render.texts import PRINTED, Texts

SCHEMA = Schema.load()
TEXTS = Texts(SCHEMA)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="session")
def fonts() -> Fonts:
    try:
        return load_fonts(held_out=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


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
    known = [folded(line) for line in lines]
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


@pytest.mark.parametrize("height", [8, 20, 40])
def test_ink_is_as_high_as_asked_for(fonts: Fonts, height: float) -> None:
    for seed in range(10):
        font = fonts.pick("H0 1", rng(seed))
        ink = draw_ink("H0", font, height, rng(seed), plain=True)
        assert ink.mask.shape[0] == pytest.approx(height, abs=1.5)
        assert ink.mask.min() >= 0 and 0.59 < ink.mask.max() <= 1
        assert ink.ends[-1] == 1 and list(ink.ends) == sorted(ink.ends)


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
        assert 6 <= strip.glyph <= 40


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
