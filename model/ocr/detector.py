"""The built-in text detector: photos to score maps."""

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
    """

    def __init__(self, network: DetectionNetwork, device: str, threads: int):
        example = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
        axes = {"photo": {1: "height", 2: "width"}, "maps": {2: "rows", 3: "columns"}}
        self._maps = OnnxModule(
            _ChannelsLast(network), {"photo": example}, axes, ["maps"], device=device, threads=threads
        )

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """Score maps, float32 (NUM_MAPS, H / MAP_STRIDE, W / MAP_STRIDE).

        Args:
            photo: uint8 RGB (H, W, 3), sides multiples of 32.
        """
        (maps,) = self._maps(photo[None])
        score_maps: np.ndarray = maps[0]
        return score_maps


class _ChannelsLast(nn.Module):
    """Takes photos as they lie in memory, uint8 (1, H, W, 3)."""

    def __init__(self, network: DetectionNetwork):
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        maps: Tensor = self.network(photo.permute(0, 3, 1, 2))
        return maps
