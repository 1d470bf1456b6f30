"""Properties of the decoder: pixels come back as they were saved, and repetition costs no more than its bytes."""

import time
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo

LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_lzw"},
}
SIDES = st.integers(1, 40)
REPEATED_BYTES = 300_000


@st.composite
def pixels(draw: st.DrawFn) -> np.ndarray:
    """uint8 RGB (H, W, 3)."""
    height, width, seed = draw(SIDES), draw(SIDES), draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def saved(image: np.ndarray, format: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, format, **options)
    return file.getvalue()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pixels(), st.sampled_from(sorted(LOSSLESS)))
def test_pixels_come_back(image: np.ndarray, format: str) -> None:
    assert np.array_equal(decode_photo(saved(image, format, **LOSSLESS[format])), image)


@pytest.mark.parametrize("format", ["JPEG", "GIF", *LOSSLESS])
def test_whatever_is_repeated_costs_little_time(format: str) -> None:
    whole = saved(np.zeros((16, 16, 3), np.uint8), format)

    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(st.floats(0, 1), st.binary(min_size=1, max_size=12) | st.integers(1, 40).map(lambda size: whole[-size:]))
    def check(fraction: float, piece: bytes) -> None:
        at = int(fraction * len(whole))
        data = whole[:at] + piece * (REPEATED_BYTES // len(piece)) + whole[at:]
        start = time.process_time()
        with suppress(ResformerError):
            decode_photo(data)
        assert time.process_time() - start < 1

    check()
