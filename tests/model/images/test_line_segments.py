"""Line segments and outline of drawn photos."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from resformer.model.images.line_segments import find_line_drawing


def photo(*segments: tuple[float, ...], block: tuple[float, ...] | None = None) -> np.ndarray:
    image = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(image)
    if block:
        draw.rectangle(block, (120, 80, 40))
    for segment in segments:
        draw.line(segment, "black", 2)
    return np.asarray(image)


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


def test_the_outline_is_that_of_the_product_without_its_arrows() -> None:
    drawing = find_line_drawing(photo((50, 100, 50, 500), block=(200, 100, 600, 500)))
    assert drawing.outline == pytest.approx((200, 100, 600, 500), abs=6)
    edge = int(np.argmin(np.abs(drawing.segments[:, [0, 2]].mean(axis=1) - 200)))
    arrow = int(np.argmin(np.abs(drawing.segments[:, [0, 2]].mean(axis=1) - 50)))
    assert drawing.contrast[edge] > 80 > 20 > drawing.contrast[arrow]


def test_a_blank_photo_has_no_segments() -> None:
    blank = find_line_drawing(photo())
    assert len(blank.segments) == 0
    assert blank.outline == (0, 0, 800, 600)


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
