"""Augmented crops of photos with the targets of their score maps."""

import math
import re
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from resformer.train.data.quantity_records import Record
from resformer.train.ocr.color_augment import color_jitter
from resformer.train.ocr.detection.score_map_targets import score_map_targets
from resformer.train.ocr.ocr_records import load_photo

__all__ = ["PhotoCrops"]

MAX_SIDES = (448, 896)  # range of the longer side that a photo is resized to before it is cropped, pixels
MAX_ENLARGEMENT = 2.0
P_QUARTER_TURNS = (0.78, 0.08, 0.06, 0.08)  # of turning a photo by none to three quarters
P_WITH_LINE = 0.8  # of aiming a crop at a text line, if the photo has any


class PhotoCrops(Dataset[tuple[Tensor, Tensor]]):
    """The batches of an epoch, each made from (seed, epoch, its index) alone.

    A batch is uint8 (B, 3, side, side) and float32 (B, NUM_TARGETS, side / MAP_STRIDE, side / MAP_STRIDE).

    Args:
        side: of the crops, pixels.
        cues: see cue_pattern.
    """

    def __init__(
        self,
        records: Sequence[Record],
        *,
        side: int,
        batch_size: int,
        cues: re.Pattern[str],
        seed: int,
        epoch: int,
    ):
        self._records = records
        self._side = side
        self._cues = cues
        self._seed = (seed, epoch)
        order = np.random.default_rng(self._seed).permutation(len(records))
        self._batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((*self._seed, index))
        crops, targets = zip(*(self._crop(self._records[i], rng) for i in self._batches[index]), strict=True)
        return torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(targets))

    def _crop(self, record: Record, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A crop (3, side, side) and its targets."""
        photo, to_photo = load_photo(record)
        max_side = math.exp(rng.uniform(math.log(MAX_SIDES[0]), math.log(MAX_SIDES[1])))
        scale = min(max_side / max(photo.shape[:2]), MAX_ENLARGEMENT)
        if scale < 1:
            photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            to_photo, scale = to_photo * scale, 1.0
        height, width = photo.shape[:2]
        transform = _random_rotation(width, height, scale, rng)
        centers = [_apply(transform, np.mean(line.corners, axis=0) * to_photo) for line in record.lines]
        transform[:, 2] -= self._random_top_left(width, height, transform, centers, rng)
        border = int(rng.integers(256)) if rng.random() < 0.5 else 255
        size = (self._side, self._side)
        crop = cv2.warpAffine(photo, transform, size, flags=cv2.INTER_LINEAR, borderValue=(border,) * 3)
        to_input = transform * np.array([to_photo, to_photo, 1])
        targets = score_map_targets(record.lines, to_input, self._side, self._cues)
        return color_jitter(crop, rng).transpose(2, 0, 1), targets

    def _random_top_left(
        self, width: int, height: int, transform: np.ndarray, centers: Sequence[np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """The top left (2,) of the crop on the transformed photo: anywhere, or so that the crop holds a text line.

        Args:
            centers: of the text lines, on the transformed photo.
        """
        corners = _apply(transform, np.array([[0, 0], [width, 0], [width, height], [0, height]]))
        low = corners.min(axis=0)
        room = corners.max(axis=0) - low - self._side
        top_left = low + room * rng.random(2)
        if centers and rng.random() < P_WITH_LINE:
            aimed = centers[int(rng.integers(len(centers)))] - self._side * rng.uniform(0.1, 0.9, 2)
            # A photo smaller than the crop lies wholly inside.
            top_left = np.where(room > 0, np.clip(aimed, low, low + np.maximum(room, 0)), top_left)
        return top_left


def _random_rotation(width: int, height: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """An affine transform (2, 3) that scales a photo, turns it about its centre, and stretches it a little."""
    skew = rng.normal(0, 6 if rng.random() < 0.3 else 0.7)  # degrees
    angle = 90 * float(rng.choice(4, p=P_QUARTER_TURNS)) + skew
    transform = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    transform[0] *= math.exp(rng.normal(0, 0.08))
    return transform


def _apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., 2) under an affine transform (2, 3)."""
    moved: np.ndarray = points @ transform[:, :2].T + transform[:, 2]
    return moved
