"""Photographs of rendered images."""

import numpy as np

from resformer.train.ocr.synthetic.camera import simulate_camera


def test_photographs_keep_their_size_and_leave_the_image_alone() -> None:
    image = np.full((20, 33, 3), 200, np.float32)
    brightness = []
    for seed in range(40):
        photo = simulate_camera(image, np.random.default_rng(seed))
        assert photo.dtype == np.uint8 and photo.shape == image.shape
        brightness.append(photo.mean())
    assert np.ptp(brightness) > 30
    assert (image == 200).all()
