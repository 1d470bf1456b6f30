"""Photos at the sizes of networks."""

import numpy as np
import pytest
from PIL import Image

from resformer.model.images import resize
from resformer.model.images.resize import letterbox


def test_letterbox_fills_from_the_top_left() -> None:
    square, extent = letterbox(np.full((100, 200, 3), 250, dtype=np.uint8), 64)
    assert square.shape == (3, 64, 64)
    assert extent == (1.0, 0.5)
    assert (square[:, :32] == 250).all()
    assert (square[:, 32:] == 127).all()


@pytest.mark.parametrize("shape", [(700, 901), (31, 3000), (2999, 801), (100, 90)])
def test_a_letterbox_is_what_pillow_makes_with_a_reducing_gap(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 20_000)
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    square, (across, down) = letterbox(image, 96)
    size = (round(across * 96), round(down * 96))
    expected = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    assert np.array_equal(square.transpose(1, 2, 0)[: size[1], : size[0]], np.asarray(expected))
