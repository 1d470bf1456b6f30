"""Backgrounds and colours of text."""

import numpy as np

from resformer.train.ocr.synthetic.backgrounds import MIN_CONTRAST, draw_background, paint, pick_colors


def test_text_has_contrast() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        background, text = pick_colors(rng)
        assert abs(background.mean() - text.mean()) > MIN_CONTRAST
        assert draw_background(30, 50, background, rng).shape == (30, 50, 3)


def test_paint_beyond_the_edge_is_left_out() -> None:
    image = np.zeros((10, 10, 3), np.float32)
    mask, color = np.ones((4, 4), np.float32), np.full(3, 9, np.float32)
    paint(image, mask, -2, 8, color)
    assert image.sum() == image[8:, :2].sum() == 2 * 2 * 3 * 9
    paint(image, mask, 20, 20, color)
    assert image.sum() == 2 * 2 * 3 * 9
