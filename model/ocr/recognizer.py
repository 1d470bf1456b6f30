"""The network's own reading of strips."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.inference.onnx_module import Graph
from resformer.model.networks.resformer import Resformer
from resformer.model.networks.text_recognizer import COLUMN, STRIP_HEIGHT
from resformer.model.ocr.ctc import read_out
from resformer.model.ocr.detection_postprocess import Strip
from resformer.model.ocr.line_crop import cut
from resformer.model.ocr.ppocr_recognizer import Text

__all__ = ["OwnReading"]

WIDEST = 40 * STRIP_HEIGHT  # pixels; a longer strip is squeezed


class OwnReading:
    """Strips of any width to text, in lower case, side by side with one thread each.

    Args:
        device: of the network.
        threads: how many strips are read at once.
    """

    def __init__(self, network: Resformer, device: str, threads: int):
        example = torch.zeros(1, STRIP_HEIGHT, 96, 3, dtype=torch.uint8)
        axes = {"strip": {2: "width"}, "logits": {1: "columns"}}
        self._logits = Graph(_Logits(network), {"strip": example}, axes, ["logits"], device=device, threads=1)
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self, image: np.ndarray, strips: Sequence[Strip]) -> list[Text]:
        """What the strips of a photo say, uint8 RGB (H, W, 3)."""
        return list(self._pool.map(lambda strip: self.read(cut(image, strip.corners, STRIP_HEIGHT)), strips))

    def read(self, strip: np.ndarray) -> Text:
        """What one strip says, uint8 RGB (STRIP_HEIGHT, W, 3)."""
        (logits,) = self._logits(_fitted(strip)[None])
        return read_out(logits[0])


class _Logits(nn.Module):
    """Strips as they lie in memory, uint8 (1, STRIP_HEIGHT, W, 3), to logits (1, W / COLUMN, CHARACTERS + 1)."""

    def __init__(self, network: Resformer):
        super().__init__()
        self.network = network

    def forward(self, strip: Tensor) -> Tensor:
        return self.network.read_print(strip.permute(0, 3, 1, 2))


def _fitted(strip: np.ndarray) -> np.ndarray:
    """The strip with a width of whole columns, to which the last one is repeated, as in training."""
    if strip.shape[1] > WIDEST:
        strip = cv2.resize(strip, (WIDEST, STRIP_HEIGHT), interpolation=cv2.INTER_AREA)
    width = -(-strip.shape[1] // COLUMN) * COLUMN
    return np.pad(strip, ((0, 0), (0, width - strip.shape[1]), (0, 0)), mode="edge")
