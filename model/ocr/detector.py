"""The built-in text detector: photos to score maps."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.runtime.onnx_module import OnnxModule

__all__ = ["TextDetector"]


class TextDetector:
    """The detection network through ONNX Runtime; making it takes about a second.

    Args:
        device: of the network.
        threads: of ONNX Runtime.
        batch_size: how many photos of one size are computed at once.
    """

    def __init__(self, network: DetectionNetwork, device: str, threads: int, batch_size: int = 1):
        self._batch_size = batch_size
        example = torch.zeros(min(2, batch_size), 64, 96, 3, dtype=torch.uint8)
        axes = {"photo": {1: "height", 2: "width"}, "maps": {2: "rows", 3: "columns"}}
        if batch_size > 1:
            axes = {name: {0: "photos", **of_name} for name, of_name in axes.items()}
        self._maps = OnnxModule(
            _ChannelsLast(network), {"photo": example}, axes, ["maps"], device=device, threads=threads
        )

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """Score maps, float32 (NUM_MAPS, H / MAP_STRIDE, W / MAP_STRIDE).

        Args:
            photo: uint8 RGB (H, W, 3), sides multiples of 32.
        """
        return self.detect([photo])[0]

    def detect(self, photos: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Score maps of each of several photos, of any sizes."""
        by_size: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, photo in enumerate(photos):
            by_size[photo.shape].append(i)
        found: dict[int, np.ndarray] = {}
        for of_size in by_size.values():
            for first in range(0, len(of_size), self._batch_size):
                indices = of_size[first : first + self._batch_size]
                (maps,) = self._maps(np.stack([photos[i] for i in indices]))
                found.update(zip(indices, maps, strict=True))
        return [found[i] for i in range(len(photos))]


class _ChannelsLast(nn.Module):
    """Takes photos as they lie in memory, uint8 (B, H, W, 3)."""

    def __init__(self, network: DetectionNetwork):
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        maps: Tensor = self.network(photo.permute(0, 3, 1, 2))
        return maps
