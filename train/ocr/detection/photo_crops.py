"""Cuts of photos at many sizes, turns and colours, with their true maps."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from resformer.model.images.loading import decode_photo
from resformer.train.data.quantity_records import Record
from resformer.train.ocr.color_augment import recoloured
from resformer.train.ocr.detection.score_map_targets import map_targets

__all__ = ["Cuts"]

LONGEST = (448, 896)  # pixels that a photo's longer side may have before it is cut
ENLARGED = 2.0  # at most
TURNED = (0.78, 0.08, 0.06, 0.08)  # shares of photos turned by none to three quarters
AIMED = 0.8  # share of cuts that are sure to hold a line, if the photo does


class Cuts(Dataset[tuple[Tensor, Tensor]]):
    """The batches of one epoch, each made from (seed, epoch, its number) alone.

    A batch is uint8 (B, 3, side, side) and float32 (B, TRUTHS, side / MAP_STRIDE, side / MAP_STRIDE).
    """

    def __init__(self, records: Sequence[Record], *, side: int, batch_size: int, seed: int, epoch: int):
        self._records = records
        self._side = side
        self._seed = (seed, epoch)
        order = np.random.default_rng(self._seed).permutation(len(records))
        self._batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((*self._seed, number))
        made = [self._cut(self._records[i], rng) for i in self._batches[number]]
        photos, truths = (np.stack(arrays) for arrays in zip(*made, strict=True))
        return torch.from_numpy(photos), torch.from_numpy(truths)

    def _cut(self, record: Record, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        assert record.photo is not None
        photo = decode_photo(record.photo.read_bytes())
        to_photo = photo.shape[1] / record.width  # words may have been read on a larger version
        longest = math.exp(rng.uniform(math.log(LONGEST[0]), math.log(LONGEST[1])))
        scale = min(longest / max(photo.shape[:2]), ENLARGED)
        if scale < 1:
            photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            to_photo, scale = to_photo * scale, 1.0
        turn = self._turn(photo.shape[1], photo.shape[0], scale, rng)
        centres = [np.mean(line.corners, axis=0) * to_photo @ turn[:, :2].T + turn[:, 2] for line in record.lines]
        turn[:, 2] -= self._place(photo.shape[1], photo.shape[0], turn, centres, rng)
        border = int(rng.integers(256)) if rng.random() < 0.5 else 255
        size = (self._side, self._side)
        cut = cv2.warpAffine(photo, turn, size, flags=cv2.INTER_LINEAR, borderValue=(border,) * 3)
        to_input = turn * np.array([to_photo, to_photo, 1])
        return recoloured(cut, rng).transpose(2, 0, 1), map_targets(record.lines, to_input, self._side)

    def _turn(self, width: int, height: int, scale: float, rng: np.random.Generator) -> np.ndarray:
        """An affine map that turns a photo and stretches it a little."""
        lean = rng.normal(0, 6 if rng.random() < 0.3 else 0.7)
        angle = 90 * float(rng.choice(4, p=TURNED)) + lean
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
        turn[0] *= math.exp(rng.normal(0, 0.08))
        return turn

    def _place(
        self, width: int, height: int, turn: np.ndarray, centres: Sequence[np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """Top left of the cut on the turned photo: anywhere, or so that it holds a line."""
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ turn[:, :2].T + turn[:, 2]
        low = corners.min(axis=0)
        room = corners.max(axis=0) - low - self._side
        place = low + room * rng.random(2)
        if centres and rng.random() < AIMED:
            aim = centres[int(rng.integers(len(centres)))] - self._side * rng.uniform(0.1, 0.9, 2)
            # A photo smaller than the cut lies wholly inside.
            place = np.where(room > 0, np.clip(aim, low, low + np.maximum(room, 0)), place)
        return place
