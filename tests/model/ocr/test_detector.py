"""The built-in text detector with random weights."""

import numpy as np
import torch

from resformer.model.networks.text_detection import MAP_STRIDE, NUM_MAPS, DetectionNetwork
from resformer.model.ocr.detector import TextDetector


def test_the_detector_gives_the_score_maps_of_the_network() -> None:
    torch.manual_seed(0)
    network = DetectionNetwork().eval()
    detector = TextDetector(network, "cpu", threads=1)
    rng = np.random.default_rng(0)
    for height, width in ((64, 96), (160, 32)):
        photo = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        maps = detector(photo)
        assert maps.shape == (NUM_MAPS, height // MAP_STRIDE, width // MAP_STRIDE)
        with torch.inference_mode():
            expected = network(torch.from_numpy(photo).permute(2, 0, 1)[None])[0]
        np.testing.assert_allclose(maps, expected.numpy(), atol=1e-4)


def test_photos_of_all_sizes_are_detected_in_batches_as_alone() -> None:
    torch.manual_seed(0)
    network = DetectionNetwork().eval()
    alone, batched = (TextDetector(network, "cpu", threads=1, batch_size=size) for size in (1, 2))
    rng = np.random.default_rng(0)
    sizes = ((64, 96), (32, 64), (64, 96), (64, 96))
    photos = [rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in sizes]
    for maps, photo in zip(batched.detect(photos), photos, strict=True):
        np.testing.assert_allclose(maps, alone(photo), atol=1e-4)
    assert batched.detect([]) == []
