"""The built-in text recognizer: line crops to text."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH, RecognitionNetwork
from resformer.model.ocr.ctc import ctc_decode
from resformer.model.ocr.detection_postprocess import DetectedLine
from resformer.model.ocr.line_crop import crop_line
from resformer.model.ocr.text_line import RecognizedText
from resformer.model.runtime.onnx_module import OnnxModule

__all__ = ["BuiltinRecognizer", "LineRecognizer"]

MAX_WIDTH = 40 * CROP_HEIGHT  # pixels; a longer crop is squeezed


class LineRecognizer(Protocol):
    """Reads detected lines."""

    def __call__(self, image: np.ndarray, lines: Sequence[DetectedLine]) -> list[RecognizedText]:
        """The text of the lines on a photo, uint8 RGB (H, W, 3)."""
        ...


class BuiltinRecognizer:
    """The recognition network through ONNX Runtime. Text is in lower case.

    Args:
        device: of the network.
        threads: how many crops are read at once, with one thread each.
    """

    def __init__(self, network: RecognitionNetwork, device: str, threads: int):
        example = torch.zeros(1, CROP_HEIGHT, 96, 3, dtype=torch.uint8)
        axes = {"crop": {2: "width"}, "logits": {1: "steps"}}
        self._logits = OnnxModule(_ChannelsLast(network), {"crop": example}, axes, ["logits"], device=device, threads=1)
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self, image: np.ndarray, lines: Sequence[DetectedLine]) -> list[RecognizedText]:
        """The text of detected lines on a photo, uint8 RGB (H, W, 3)."""
        return list(self._pool.map(lambda line: self.recognize(crop_line(image, line.corners, CROP_HEIGHT)), lines))

    def recognize(self, crop: np.ndarray) -> RecognizedText:
        """The text of one crop, uint8 RGB (CROP_HEIGHT, W, 3)."""
        (logits,) = self._logits(_pad_to_steps(crop)[None])
        return ctc_decode(logits[0])


class _ChannelsLast(nn.Module):
    """Takes crops as they lie in memory, uint8 (1, CROP_HEIGHT, W, 3)."""

    def __init__(self, network: RecognitionNetwork):
        super().__init__()
        self.network = network

    def forward(self, crop: Tensor) -> Tensor:
        logits: Tensor = self.network(crop.permute(0, 3, 1, 2))
        return logits


def _pad_to_steps(crop: np.ndarray) -> np.ndarray:
    """The crop with a width of whole steps, by repeating its last column as in training."""
    if crop.shape[1] > MAX_WIDTH:
        crop = cv2.resize(crop, (MAX_WIDTH, CROP_HEIGHT), interpolation=cv2.INTER_AREA)
    width = -(-crop.shape[1] // STEP_WIDTH) * STEP_WIDTH
    return np.pad(crop, ((0, 0), (0, width - crop.shape[1]), (0, 0)), mode="edge")
