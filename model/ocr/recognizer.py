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
from resformer.model.runtime.stage_times import stage

__all__ = ["BuiltinRecognizer", "LineOnPhoto", "LineRecognizer"]

LineOnPhoto = tuple[np.ndarray, DetectedLine]
"""A photo, uint8 RGB (H, W, 3), and a line that was detected on it."""

MAX_WIDTH = 40 * CROP_HEIGHT  # pixels; a longer crop is squeezed


class LineRecognizer(Protocol):
    """Reads detected lines."""

    def __call__(self, lines: Sequence[LineOnPhoto]) -> list[RecognizedText]:
        """The text of lines, which may be on several photos."""
        ...


class BuiltinRecognizer:
    """The recognition network through ONNX Runtime. Text is in lower case.

    Args:
        device: of the network.
        threads: how many crops are made at once, and read with one thread each where they are read one by one.
        batch_size: how many crops are computed at once.
    """

    def __init__(self, network: RecognitionNetwork, device: str, threads: int, batch_size: int = 1):
        self._batch_size = batch_size
        count = min(2, batch_size)
        examples = {"crop": torch.zeros(count, CROP_HEIGHT, 96, 3, dtype=torch.uint8)}
        axes = {"crop": {2: "width"}, "logits": {1: "steps"}}
        if batch_size > 1:
            examples["mask"] = torch.ones(count, 96 // STEP_WIDTH, dtype=torch.bool)
            axes = {name: {0: "crops", **of_name} for name, of_name in (axes | {"mask": {1: "steps"}}).items()}
        self._logits = OnnxModule(_ChannelsLast(network), examples, axes, ["logits"], device=device, threads=1)
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self, lines: Sequence[LineOnPhoto]) -> list[RecognizedText]:
        """The text of lines, which may be on several photos."""
        if self._batch_size == 1:
            return list(self._pool.map(self._recognize_line, lines))
        return self._recognize_batches(list(self._pool.map(lambda line: _pad_to_steps(_crop(line)), lines)))

    def recognize(self, crop: np.ndarray) -> RecognizedText:
        """The text of one crop, uint8 RGB (CROP_HEIGHT, W, 3)."""
        crop = _pad_to_steps(crop)
        if self._batch_size > 1:
            return self._recognize_batches([crop])[0]
        (logits,) = self._logits(crop[None])
        return ctc_decode(logits[0])

    def _recognize_line(self, line: LineOnPhoto) -> RecognizedText:
        with stage("recognise"):
            return self.recognize(_crop(line))

    def _recognize_batches(self, crops: Sequence[np.ndarray]) -> list[RecognizedText]:
        """The text of crops with widths of whole steps. Those of similar widths are computed together."""
        by_width = sorted(range(len(crops)), key=lambda i: crops[i].shape[1])
        texts: dict[int, RecognizedText] = {}
        for first in range(0, len(crops), self._batch_size):
            indices = by_width[first : first + self._batch_size]
            steps = [crops[i].shape[1] // STEP_WIDTH for i in indices]
            padded = np.zeros((len(indices), CROP_HEIGHT, steps[-1] * STEP_WIDTH, 3), dtype=np.uint8)
            for row, i in zip(padded, indices, strict=True):
                row[:, : crops[i].shape[1]] = crops[i]
            (logits,) = self._logits(padded, np.arange(steps[-1]) < np.array(steps)[:, None])
            read = self._pool.map(lambda of_crop, count: ctc_decode(of_crop[:count]), logits, steps)
            texts.update(zip(indices, read, strict=True))
        return [texts[i] for i in range(len(crops))]


class _ChannelsLast(nn.Module):
    """Takes crops as they lie in memory, uint8 (B, CROP_HEIGHT, W, 3)."""

    def __init__(self, network: RecognitionNetwork):
        super().__init__()
        self.network = network

    def forward(self, crop: Tensor, mask: Tensor | None = None) -> Tensor:
        logits: Tensor = self.network(crop.permute(0, 3, 1, 2), mask)
        return logits


def _crop(line: LineOnPhoto) -> np.ndarray:
    image, detected = line
    return crop_line(image, detected.corners, CROP_HEIGHT)


def _pad_to_steps(crop: np.ndarray) -> np.ndarray:
    """The crop with a width of whole steps, by repeating its last column as in training."""
    if crop.shape[1] > MAX_WIDTH:
        crop = cv2.resize(crop, (MAX_WIDTH, CROP_HEIGHT), interpolation=cv2.INTER_AREA)
    width = -(-crop.shape[1] // STEP_WIDTH) * STEP_WIDTH
    return np.pad(crop, ((0, 0), (0, width - crop.shape[1]), (0, 0)), mode="edge")
