"""The network's maps of print, computed where that is fastest."""

import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.inference.onnx_module import Graph
from resformer.model.networks.resformer import Resformer

__all__ = ["PrintFinder"]


class PrintFinder:
    """Maps of the print on photos of any size whose sides are multiples of 32.

    The graph is made from the network when a finder is, in about a second.

    Args:
        device: of the network.
        threads: see Graph.
    """

    def __init__(self, network: Resformer, device: str, threads: int):
        example = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
        axes = {"photo": {1: "height", 2: "width"}, "maps": {2: "rows", 3: "columns"}}
        self._maps = Graph(_Maps(network), {"photo": example}, axes, ["maps"], device=device, threads=threads)

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """uint8 RGB (H, W, 3) to float32 (MAPS, H / CELL, W / CELL)."""
        (maps,) = self._maps(photo[None])
        return maps[0]


class _Maps(nn.Module):
    """Photos as they lie in memory, uint8 (1, H, W, 3), to maps (1, MAPS, H / CELL, W / CELL)."""

    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        return self.network.find_print(photo.permute(0, 3, 1, 2))
