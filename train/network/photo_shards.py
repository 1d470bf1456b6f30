"""A folder of WebDataset shards with the training data of the Resformer, and its index."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
import webdataset
from pydantic import PositiveFloat, PositiveInt, ValidationError

from resformer.model.inference.checkpoint import schema_digest
from resformer.model.schema.schema import Schema
from resformer.train.network.data_summary import DataSummary
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.shard_samples import decode_sample
from resformer.train.settings.yaml_settings import StrictModel

__all__ = ["INDEX", "PhotoShards", "Shard", "ShardIndex", "SummaryFields"]

INDEX = "index.json"


class Shard(StrictModel):
    """One tar file.

    Attributes:
        file: its name.
        photos: samples, each a photo with its rows, or rows without one.
        rows: of all photos.
        weight: how often an epoch shows its rows, added up.
        sha256: of the file.
    """

    file: str
    photos: PositiveInt
    rows: PositiveInt
    weight: PositiveFloat
    sha256: str


class SummaryFields(StrictModel):
    """A DataSummary."""

    num_items: int
    epoch_prior: tuple[float, ...]
    catalogue_prior: tuple[float, ...]
    labelled: tuple[str, ...]
    learned: tuple[str, ...]
    generic: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, summary: DataSummary) -> "SummaryFields":
        """The fields of a summary."""
        return cls(
            num_items=summary.num_items,
            epoch_prior=tuple(summary.epoch_prior.tolist()),
            catalogue_prior=tuple(summary.catalogue_prior.tolist()),
            labelled=tuple(sorted(summary.labelled)),
            learned=tuple(sorted(summary.learned)),
            generic={name: tuple(sorted(words)) for name, words in summary.generic.items()},
        )

    def summary(self) -> DataSummary:
        """The summary of these fields."""
        return DataSummary(
            self.num_items,
            torch.tensor(self.epoch_prior),
            torch.tensor(self.catalogue_prior),
            frozenset(self.labelled),
            frozenset(self.learned),
            {name: frozenset(words) for name, words in self.generic.items()},
        )


class ShardIndex(StrictModel):
    """What `index.json` says.

    Attributes:
        version: of the format.
        schema_digest: of the entities that the rows are about.
        train, val: shards to train on, in random order, and for validation.
        summary: of the rows to train on.
    """

    version: Literal[1] = 1
    schema_digest: str
    train: tuple[Shard, ...]
    val: tuple[Shard, ...]
    summary: SummaryFields


class PhotoShards:
    """Reads shards that `resformer data shard` wrote.

    Attributes:
        index: of the folder.
        summary: of the rows to train on.
        digest: of the index, and so of all shards.

    Raises:
        ValueError: the folder has no index, or its rows are about other entities than the schema has.
    """

    def __init__(self, folder: Path, schema: Schema):
        self._folder = folder
        self._schema = schema
        try:
            content = (folder / INDEX).read_bytes()
            self.index = ShardIndex.model_validate_json(content)
        except (FileNotFoundError, ValidationError) as error:
            raise ValueError(f"{folder} has no {INDEX} of shards; `resformer data shard` writes both") from error
        if self.index.schema_digest != schema_digest(schema):
            raise ValueError(f"{folder} was made for another schema; make the shards anew by a config with this one")
        self.summary = self.index.summary.summary()
        self.digest = f"{zlib.crc32(content):08x}"

    def read(self, shard: Shard) -> Iterator[LabelledPhoto]:
        """The rows of a shard, in its order.

        Raises:
            ValueError: the file is damaged or missing.
        """
        path = self._folder / shard.file
        photos = 0
        try:
            samples = webdataset.WebDataset(
                [str(path)], shardshuffle=False, nodesplitter=_every_shard, workersplitter=_every_shard
            )
            for sample in samples:
                yield from decode_sample(sample, self._schema)
                photos += 1
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ValueError(f"{path} cannot be read: {error}; copy it again or make the shards anew") from error
        if photos != shard.photos:
            raise ValueError(f"{path} has {photos} photos of {shard.photos}; copy it again or make the shards anew")

    def first_rows(self, count: int) -> list[LabelledPhoto]:
        """About `count` rows to train on, in whole shards: shards are in random order, so these are a random sample."""
        rows: list[LabelledPhoto] = []
        for shard in self.index.train:
            rows += self.read(shard)
            if len(rows) >= count:
                break
        return rows

    def val_rows(self) -> list[LabelledPhoto]:
        """All rows for validation."""
        return [row for shard in self.index.val for row in self.read(shard)]


def _every_shard(shards: Iterator[object]) -> Iterator[object]:
    """Takes the place of webdataset's split over processes and workers of a loader: ShardBatches deals the shards."""
    return shards
