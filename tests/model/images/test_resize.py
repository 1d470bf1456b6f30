"""Photos at the sizes of networks."""

import numpy as np

from resformer.model.images.resize import letterbox


def test_letterbox_fills_from_the_top_left() -> None:
    square, extent = letterbox(np.full((100, 200, 3), 250, dtype=np.uint8), 64)
    assert square.shape == (3, 64, 64)
    assert extent == (1.0, 0.5)
    assert (square[:, :32] == 250).all()
    assert (square[:, 32:] == 127).all()
