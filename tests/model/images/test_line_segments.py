"""Strokes and outline of drawn photos, and what they say about the print beside them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from resformer.model.images.line_segments import find_drawing
from resformer.model.ocr.text_line import Line
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.line_features import drawing_features
from resformer.model.quantities.quantity import Candidate


def photo(*strokes: tuple[float, ...], block: tuple[float, ...] | None = None) -> np.ndarray:
    image = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(image)
    if block:
        draw.rectangle(block, (120, 80, 40))
    for stroke in strokes:
        draw.line(stroke, "black", 2)
    return np.asarray(image)


def label(text: str, x: float, y: float) -> Candidate:
    width = 12.0 * len(text)
    (candidate,) = find_candidates(
        [Line(((x, y), (x + width, y), (x + width, y + 24), (x, y + 24)), text, 0.9)], ["inch"]
    )
    return candidate


@pytest.mark.parametrize(
    ("stroke", "direction", "length"),
    [((100, 300, 500, 300), 0, 400), ((400, 100, 400, 500), 1, 400), ((100, 500, 400, 200), 2, 424)],
)
def test_strokes_have_direction_and_length(stroke: tuple[int, ...], direction: int, length: int) -> None:
    drawing = find_drawing(photo(stroke))
    longest = int(drawing.lengths.argmax())
    assert drawing.directions[longest] == direction
    assert drawing.lengths[longest] == pytest.approx(length, rel=0.05)
    assert drawing.contrast[longest] < 20


def test_the_outline_is_the_product_not_its_arrows() -> None:
    drawing = find_drawing(photo((50, 100, 50, 500), block=(200, 100, 600, 500)))
    assert drawing.outline == pytest.approx((200, 100, 600, 500), abs=6)
    edge = int(np.argmin(np.abs(drawing.strokes[:, [0, 2]].mean(axis=1) - 200)))
    arrow = int(np.argmin(np.abs(drawing.strokes[:, [0, 2]].mean(axis=1) - 50)))
    assert drawing.contrast[edge] > 80 > 20 > drawing.contrast[arrow]


def test_a_label_knows_its_arrow() -> None:
    """Beside an upright arrow at the left, and below one across: each sees its own direction strongest."""
    image = photo((150, 100, 150, 500), (200, 530, 600, 530), block=(200, 100, 600, 500))
    drawing = find_drawing(image)
    beside, below = label("20 in", 70, 290), label("16 in", 380, 545)
    features = drawing_features(drawing, [beside, below], (800, 600))
    across, upright = features[:, 0], features[:, 2]
    assert upright[0] > 0.5 > across[0]
    assert across[1] > 0.5 > upright[1]
    assert np.isfinite(features).all()


def test_nothing_drawn_and_nothing_at_hand() -> None:
    blank = find_drawing(photo())
    assert len(blank.strokes) == 0
    assert blank.outline == (0, 0, 800, 600)
    found = [label("20 in", 70, 290)]
    assert np.isfinite(drawing_features(blank, found, (800, 600))).all()
    assert not drawing_features(None, found, (800, 600)).any()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (3000, 40)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(256, size=(*size, 3), dtype=np.uint8)
    drawing = find_drawing(noise)
    assert drawing.strokes.shape == (len(drawing.contrast), 4)
    height, width = size
    x0, y0, x1, y1 = drawing.outline
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert (drawing.strokes >= -2).all()
    assert (drawing.strokes[:, ::2] <= width + 2).all() and (drawing.strokes[:, 1::2] <= height + 2).all()
