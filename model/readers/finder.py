"""The network's maps of print, computed where that is fastest."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from model.graphs import session
from model.network import Resformer

__all__ = ["PrintFinder"]


class PrintFinder:
    """Maps of the print on photos of any size whose sides are multiples of 32.

    On a processor they come from ONNX Runtime; the graph is made from the network when a finder is.

    Args:
        device: of the network.
        threads: of ONNX Runtime.
    """

    def __init__(self, network: Resformer, device: str, threads: int):
        self._device = device
        self._graph = _Graph(network).eval()
        self._session: Any = None
        if torch.device(device).type == "cpu":
            example = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
            axes = {"photo": {1: "height", 2: "width"}, "maps": {2: "rows", 3: "columns"}}
            self._session = session(self._graph, {"photo": example}, axes, "maps", threads)

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """uint8 RGB (H, W, 3) to float32 (MAPS, H / CELL, W / CELL)."""
        if self._session:
            return self._session.run(None, {"photo": photo[None]})[0][0]
        with torch.inference_mode():
            return self._graph(torch.from_numpy(photo)[None].to(self._device))[0].float().cpu().numpy()


class _Graph(nn.Module):
    """Photos as they lie in memory, uint8 (1, H, W, 3), to maps (1, MAPS, H / CELL, W / CELL)."""

    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        return self.network.find_print(photo.permute(0, 3, 1, 2))
