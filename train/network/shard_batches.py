"""Batches from shards: as many photos as memory holds are shuffled at a time, and every batch can be made again."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import Dataset

from resformer.model.inference.inputs import Preprocessor
from resformer.model.networks.batch import Batch
from resformer.train.network.batches import BatchMaker, draw_batches
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.photo_shards import PhotoShards, Shard
from resformer.train.network.picture_cache import GREY, load_picture
from resformer.train.network.targets import Targets
from resformer.train.settings.run_settings import NetworkConfig

__all__ = ["ShardBatches"]


@dataclass(frozen=True)
class _Window:
    """Shards of a lane that are in memory together, and the batches of their photos."""

    photos: list[LabelledPhoto]
    batches: np.ndarray


class ShardBatches(Dataset[tuple[Batch, Targets]]):
    """The batches of one epoch, each made from (seed, epoch, its index) alone, with the pixels of its pictures.

    The shards, in the epoch's order, are dealt to lanes; batch i is of lane i % lanes. With a lane for each batch of
    a step, a process reads only the shards of its own lanes, and a run has the same batches however many processes
    share the lanes. The photos of `shuffle_shards` neighbours of a lane are shuffled together.

    Args:
        lanes: batches in a step.
        side: of the pictures, pixels.

    Raises:
        ValueError: there are fewer shards than lanes.
    """

    def __init__(
        self,
        shards: PhotoShards,
        preprocessor: Preprocessor,
        config: NetworkConfig,
        epoch: int,
        generic: Mapping[str, Collection[str]],
        *,
        lanes: int,
        shuffle_shards: int,
        side: int,
    ):
        train = shards.index.train
        if len(train) < lanes:
            raise ValueError(
                f"{len(train)} shards are too few for {lanes} batches a step; write smaller ones by --photos-per-shard"
            )
        self._shards = shards
        self._maker = BatchMaker(preprocessor, config, generic)
        self._seed = (config.seed, epoch)
        self._batch_size = config.batch_size
        self._side = side
        order = np.random.default_rng(self._seed).permutation(len(train))
        # Every lane has as many batches, whatever its shards: all processes make as many steps.
        self._steps = max(1, round(sum(shard.weight for shard in train) / (config.batch_size * lanes)))
        self._lanes = [
            _windows([train[i] for i in order[lane::lanes]], shuffle_shards, self._steps) for lane in range(lanes)
        ]
        self._in_memory: dict[int, tuple[int, _Window]] = {}  # by lane

    def __len__(self) -> int:
        return self._steps * len(self._lanes)

    def __getitem__(self, index: int) -> tuple[Batch, Targets]:
        step, lane = divmod(index, len(self._lanes))
        number = next(i for i, (steps, _) in enumerate(self._lanes[lane]) if step in steps)
        first = self._lanes[lane][number][0].start
        window = self._window(lane, number)
        photos = [window.photos[p] for p in window.batches[step - first]]
        samples, targets = self._maker(photos, random.Random(repr((*self._seed, index))))
        pixels, extent = self._pictures(photos)
        batch = self._maker.preprocessor.batch(samples, pixels, extent)
        # As for photos in memory: a text may mention left or right.
        described = [bool(photo.texts.get("description")) for photo in photos]
        return batch, replace(targets, may_flip=~torch.tensor(described))

    def _window(self, lane: int, number: int) -> _Window:
        if lane not in self._in_memory or self._in_memory[lane][0] != number:
            self._in_memory.pop(lane, None)  # before the next one is read
            steps, shards = self._lanes[lane][number]
            photos = [row for shard in shards for row in self._shards.read(shard)]
            rng = np.random.default_rng((*self._seed, lane, number))
            batches = draw_batches(photos, len(steps), self._batch_size, rng)
            self._in_memory[lane] = (number, _Window(photos, batches))
        return self._in_memory[lane][1]

    def _pictures(self, photos: list[LabelledPhoto]) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = torch.full((len(photos), 3, self._side, self._side), GREY, dtype=torch.uint8)
        extent = torch.ones(len(photos), 2)
        for i, photo in enumerate(photos):
            if photo.photo is not None:
                box, covered = load_picture(photo.photo, self._side)
                pixels[i], extent[i] = torch.from_numpy(box), torch.tensor(covered)
        return pixels, extent


def _windows(shards: list[Shard], size: int, steps: int) -> list[tuple[range, list[Shard]]]:
    """Groups of `size` shards with the steps of the epoch that are made of them, in proportion to their weights."""
    groups = [shards[start : start + size] for start in range(0, len(shards), size)]
    weights = np.array([sum(shard.weight for shard in group) for group in groups])
    ends = np.round(np.cumsum(weights) / weights.sum() * steps).astype(int).tolist()
    return [(range(start, end), group) for start, end, group in zip([0, *ends], ends, groups, strict=False)]
