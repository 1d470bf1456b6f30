"""Batches of line crops: of photos, of photos with another text painted in, and rendered ones."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH
from resformer.model.ocr.charset import CHARSET, fold_to_charset
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.line_crop import crop_line
from resformer.train.ocr.color_augment import color_jitter
from resformer.train.ocr.line_geometry import jitter_corners
from resformer.train.ocr.recognition.labelled_lines import LabelledLine
from resformer.train.ocr.synthetic.camera import simulate_camera
from resformer.train.ocr.synthetic.line_renderer import LineRenderer
from resformer.train.ocr.synthetic.repaint import repaint

__all__ = ["RecognitionBatch", "RecognitionBatches", "collate_crops", "max_crop_width"]

RecognitionBatch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Line crops, uint8 (B, 3, CROP_HEIGHT, W); their widths in steps (B,); the classes of their characters, int (B, L),
padded with BLANK; and the numbers of characters (B,)."""

# Lines of a batch are of about one length, so that few pixels are padding.
BUCKETS = (4, 8, 14, 24, 40)  # the most characters of a line, by bucket
REFERENCE_LENGTH = 14  # a batch of such lines has `batch_size` of them; one of shorter lines has more
DIGIT_WEIGHT = 3.0  # of sampling a line with a digit, relative to other lines
P_SHRUNK = 0.3  # of making a line smaller before it is cropped
P_CAMERA = 0.3
MIN_CHARACTER_WIDTH = 6  # pixels


class RecognitionBatches(Dataset[RecognitionBatch]):
    """The batches of an epoch, each made from (seed, epoch, its index) alone.

    Args:
        lines: of photos; without any all lines are rendered.
        renderer: for lines that are rendered or repainted; None where there are none of them.
        p_drawn, p_repainted: see RecognizerConfig.
    """

    def __init__(
        self,
        lines: Sequence[LabelledLine],
        renderer: LineRenderer | None,
        *,
        p_drawn: float,
        p_repainted: float,
        num_batches: int,
        batch_size: int,
        seed: int,
        epoch: int,
    ):
        self._lines = lines
        self._renderer = renderer
        self._p_drawn = p_drawn if lines else 1.0
        self._p_repainted = p_repainted
        self._num_batches = num_batches
        self._seed = (seed, epoch)
        self._weights = np.array([DIGIT_WEIGHT if any(c.isdigit() for c in line.text) else 1.0 for line in lines])
        bucket_of_line = np.searchsorted(BUCKETS, [len(line.text) for line in lines])
        self._buckets = [np.flatnonzero(bucket_of_line == i) for i in range(len(BUCKETS))]
        reference = max_crop_width(REFERENCE_LENGTH)
        self._batch_sizes = [max(1, round(batch_size * reference / max_crop_width(length))) for length in BUCKETS]
        # All lines are as likely, whatever their batch's size.
        weights = np.array([self._weights[indices].sum() for indices in self._buckets]) if lines else 1.0
        p_buckets = weights / np.array(self._batch_sizes)
        self._p_buckets = p_buckets / p_buckets.sum()

    def __len__(self) -> int:
        return self._num_batches

    def __getitem__(self, index: int) -> RecognitionBatch:
        rng = np.random.default_rng((*self._seed, index))
        bucket = int(rng.choice(len(BUCKETS), p=self._p_buckets))
        samples = []
        for _ in range(self._batch_sizes[bucket]):
            crop, text = self._sample(bucket, rng)
            samples.append((_limit_width(crop, len(text), max_crop_width(BUCKETS[bucket])), text))
        return collate_crops(samples)

    def _sample(self, bucket: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """A line crop and its text in CHARSET."""
        kind = rng.random()
        if kind < self._p_drawn:
            assert self._renderer is not None
            printed, text = self._random_text(self._renderer, bucket, rng)
            return self._renderer.render(printed, rng), text
        line = self._random_line(bucket, rng)
        if kind < self._p_drawn + self._p_repainted:
            assert self._renderer is not None
            printed, text = self._random_text(self._renderer, bucket, rng)
            if repainted := repaint(*line.decode(), printed, self._renderer.fonts, rng):
                return _augmented_crop(*repainted, rng), text
        return _augmented_crop(*line.decode(), rng), line.text

    def _random_text(self, renderer: LineRenderer, bucket: int, rng: np.random.Generator) -> tuple[str, str]:
        """A text of the bucket's length as it is printed, and in CHARSET."""
        max_shorter = BUCKETS[bucket - 1] if bucket else 0
        while True:
            printed = renderer.texts.line(rng).strip()
            text = fold_to_charset(printed)
            if text and max_shorter < len(text) <= BUCKETS[bucket]:
                return printed, text

    def _random_line(self, bucket: int, rng: np.random.Generator) -> LabelledLine:
        indices = self._buckets[bucket]
        weights = self._weights[indices]
        return self._lines[int(rng.choice(indices, p=weights / weights.sum()))]


def max_crop_width(num_characters: int) -> int:
    """The most pixels that a crop of so many characters may be wide; a multiple of STEP_WIDTH."""
    return 14 * num_characters // STEP_WIDTH * STEP_WIDTH + 40


def collate_crops(samples: Sequence[tuple[np.ndarray, str]]) -> RecognitionBatch:
    """Line crops (CROP_HEIGHT, W, 3) of any widths, padded with their last columns, and their texts."""
    widths = [-(-crop.shape[1] // STEP_WIDTH) for crop, _ in samples]
    crops = np.zeros((len(samples), CROP_HEIGHT, max(widths) * STEP_WIDTH, 3), np.uint8)
    classes = np.full((len(samples), max(1, *(len(text) for _, text in samples))), BLANK)
    for i, (crop, text) in enumerate(samples):
        width = crop.shape[1]
        crops[i, :, :width] = crop
        crops[i, :, width:] = crop[:, -1:]
        classes[i, : len(text)] = [CHARSET.index(c) for c in text]
    lengths = torch.tensor([len(text) for _, text in samples])
    return torch.from_numpy(crops.transpose(0, 3, 1, 2)), torch.tensor(widths), torch.from_numpy(classes), lengths


def _augmented_crop(pixels: np.ndarray, corners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A line crop, uint8 (CROP_HEIGHT, W, 3), of pixels (H, W, 3) around the line."""
    if rng.random() < P_SHRUNK and len(pixels) > 24:
        scale = rng.uniform(18 / len(pixels), 1.0)
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        corners = corners * scale
    crop = color_jitter(crop_line(np.ascontiguousarray(pixels), jitter_corners(corners, rng), CROP_HEIGHT), rng)
    return simulate_camera(crop.astype(np.float32), rng) if rng.random() < P_CAMERA else crop


def _limit_width(crop: np.ndarray, num_characters: int, max_width: int) -> np.ndarray:
    """The crop, stretched where it is wider than `max_width` or too narrow for its characters."""
    width = min(max(crop.shape[1], MIN_CHARACTER_WIDTH * num_characters), max_width)
    return crop if width == crop.shape[1] else cv2.resize(crop, (width, CROP_HEIGHT))
