"""Line segments and outline of drawn photos, and the features of the candidates beside them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from resformer.model.images.line_segments import find_line_drawing
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.line_features import line_features
from resformer.model.quantities.quantity import Candidate


def photo(*segments: tuple[float, ...], block: tuple[float, ...] | None = None) -> np.ndarray:
    image = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(image)
    if block:
        draw.rectangle(block, (120, 80, 40))
    for segment in segments:
        draw.line(segment, "black", 2)
    return np.asarray(image)


def label(text: str, x: float, y: float) -> Candidate:
    width = 12.0 * len(text)
    (candidate,) = find_candidates(
        [TextLine(((x, y), (x + width, y), (x + width, y + 24), (x, y + 24)), text, 0.9)], ["inch"]
    )
    return candidate


@pytest.mark.parametrize(
    ("segment", "direction", "length"),
    [((100, 300, 500, 300), 0, 400), ((400, 100, 400, 500), 1, 400), ((100, 500, 400, 200), 2, 424)],
)
def test_segments_have_direction_and_length(segment: tuple[int, ...], direction: int, length: int) -> None:
    drawing = find_line_drawing(photo(segment))
    longest = int(drawing.lengths.argmax())
    assert drawing.directions[longest] == direction
    assert drawing.lengths[longest] == pytest.approx(length, rel=0.05)
    assert drawing.contrast[longest] < 20


def test_the_outline_is_the_product_not_its_arrows() -> None:
    drawing = find_line_drawing(photo((50, 100, 50, 500), block=(200, 100, 600, 500)))
    assert drawing.outline == pytest.approx((200, 100, 600, 500), abs=6)
    edge = int(np.argmin(np.abs(drawing.segments[:, [0, 2]].mean(axis=1) - 200)))
    arrow = int(np.argmin(np.abs(drawing.segments[:, [0, 2]].mean(axis=1) - 50)))
    assert drawing.contrast[edge] > 80 > 20 > drawing.contrast[arrow]


def test_features_give_the_direction_of_the_arrow_beside_a_label() -> None:
    """One label is beside a vertical arrow, one below a horizontal arrow: that direction is its strongest."""
    image = photo((150, 100, 150, 500), (200, 530, 600, 530), block=(200, 100, 600, 500))
    drawing = find_line_drawing(image)
    beside, below = label("20 in", 70, 290), label("16 in", 380, 545)
    features = line_features(drawing, [beside, below], (800, 600))
    horizontal, vertical = features[:, 0], features[:, 2]
    assert vertical[0] > 0.5 > horizontal[0]
    assert horizontal[1] > 0.5 > vertical[1]
    assert np.isfinite(features).all()


def test_blank_photos_and_missing_drawings() -> None:
    blank = find_line_drawing(photo())
    assert len(blank.segments) == 0
    assert blank.outline == (0, 0, 800, 600)
    found = [label("20 in", 70, 290)]
    assert np.isfinite(line_features(blank, found, (800, 600))).all()
    assert not line_features(None, found, (800, 600)).any()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (3000, 40)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(256, size=(*size, 3), dtype=np.uint8)
    drawing = find_line_drawing(noise)
    assert drawing.segments.shape == (len(drawing.contrast), 4)
    height, width = size
    x0, y0, x1, y1 = drawing.outline
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert (drawing.segments >= -2).all()
    assert (drawing.segments[:, ::2] <= width + 2).all() and (drawing.segments[:, 1::2] <= height + 2).all()
