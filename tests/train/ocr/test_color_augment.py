"""Colours change, text stays."""

import numpy as np

from resformer.train.ocr.color_augment import color_jitter


def test_edges_stay_where_they_are() -> None:
    image = np.full((20, 40, 3), 220, np.uint8)
    image[:, 20:] = (60, 30, 30)
    changed = 0
    for seed in range(40):
        jittered = color_jitter(image, np.random.default_rng(seed))
        assert jittered.dtype == np.uint8 and jittered.shape == image.shape
        assert abs(jittered[:, :18].mean() - jittered[:, 22:].mean()) > 60
        changed += not np.array_equal(jittered, image)
    assert 20 < changed < 40
