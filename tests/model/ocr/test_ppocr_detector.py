"""PP-OCR's detector: what it takes of photos of all sizes, and where it finds lines."""

from typing import Any

import numpy as np
import pytest

from resformer.model.ocr.ppocr_detector import MAX_INPUT_PIXELS, PPOCRDetector


@pytest.fixture(scope="module")
def detector() -> PPOCRDetector:
    return PPOCRDetector(threads=1)


@pytest.fixture
def inputs(detector: PPOCRDetector, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What the network is called with from now on; it finds nothing."""
    arrays: list[np.ndarray] = []

    def session(pixels: np.ndarray) -> np.ndarray:
        arrays.append(pixels)
        return np.zeros((1, 1, *pixels.shape[2:]), np.float32)

    monkeypatch.setattr(detector._detector, "session", session)
    return arrays


def test_the_input_is_that_of_the_package(detector: PPOCRDetector, inputs: list[np.ndarray]) -> None:
    from rapidocr.ch_ppocr_det.utils import DetPreProcess

    image = np.random.default_rng(0).integers(0, 256, (300, 700, 3), dtype=np.uint8)
    settings: Any = detector._detector
    expected: Any = DetPreProcess(640, "min", settings.mean, settings.std)(image[:, :, ::-1])
    assert detector.detect([image]) == [[]]
    assert inputs[0].dtype == np.float32
    np.testing.assert_allclose(inputs[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(800, 900)], [(800, 896)]),
        ([(320, 480)], [(640, 960)]),
        ([(3000, 4000)], [(1504, 1984)]),
        ([(500, 3000)], [(640, 3840)]),
        ([(1600, 900)] * 6, [(1088, 608)] * 6),
    ],
)
def test_photos_are_resized(
    detector: PPOCRDetector, inputs: list[np.ndarray], sizes: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    detector.detect([np.zeros((*size, 3), np.uint8) for size in sizes])
    assert [array.shape[2:] for array in inputs] == expected
    assert sum(height * width for height, width in expected) < 1.05 * MAX_INPUT_PIXELS


@pytest.mark.parametrize(
    ("shape", "padded"),
    [
        ((1, 1), (32, 32)),
        ((4, 10_000), (2500, 10_000)),
        ((65_535, 4), (65_535, 16_383)),
        ((20, 30), (32, 32)),
        ((30, 2000), (500, 2000)),
        ((100, 801), (200, 801)),
        ((1, 32), (32, 32)),
    ],
)
def test_narrow_photos_are_padded(
    detector: PPOCRDetector, inputs: list[np.ndarray], shape: tuple[int, int], padded: tuple[int, int]
) -> None:
    detector.detect([np.full((*shape, 3), 255, np.uint8)])
    pixels = inputs[0][0, 0]
    height, width = pixels.shape
    assert height * width <= 1.05 * MAX_INPUT_PIXELS
    assert height / width == pytest.approx(padded[0] / padded[1], rel=0.06)
    rows, columns = (max(1, round(n * part / of)) for n, part, of in zip(pixels.shape, shape, padded, strict=True))
    assert (pixels[:rows, :columns] > 0).all() and (pixels > 0).sum() == rows * columns


def test_its_threads_sleep_while_they_wait(detector: PPOCRDetector) -> None:
    """They would take the time of all that is done beside them; the engine's own session lets them spin."""
    session: Any = detector._detector.session.session
    settings = session.get_session_options()
    assert settings.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert settings.intra_op_num_threads == 1
