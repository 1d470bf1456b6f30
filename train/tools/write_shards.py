"""Writes the training data of a config as WebDataset shards."""

import random
import shutil
from collections.abc import Hashable, Sequence
from pathlib import Path

import webdataset
from tqdm import tqdm

from resformer.model.files.whole_file import file_digest
from resformer.model.inference.checkpoint import schema_digest
from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.network.data_summary import DataSummary
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.photo_shards import INDEX, Shard, ShardIndex, SummaryFields
from resformer.train.network.read_sources import read_sources
from resformer.train.network.shard_samples import encode_sample
from resformer.train.settings.run_settings import NetworkConfig
from resformer.train.settings.sources import ShardSource

__all__ = ["write_shards"]


def write_shards(config: NetworkConfig, out: Path, *, photos_per_shard: int) -> ShardIndex:
    """Writes what a run by this config is trained and validated on; the same data gives the same bytes.

    All that the config says about sources is done with: merged rows, pseudo-labels, sampling weights and the validation
    split. The photos are in random order, those with several rows once.

    Args:
        out: a folder that is not there yet; it appears when all is written.

    Raises:
        ValueError: `out` exists, or a source cannot be used.
        OSError: a photo cannot be read.
    """
    if out.exists():
        raise ValueError(f"{out} exists; choose another --out or remove it")
    if any(isinstance(source, ShardSource) for source in config.sources):
        raise ValueError("the config is trained on shards already; name the config that they were made by")
    schema = Schema.load(config.schema_file)
    tokenizer = Tokenizer(schema)
    train, val = read_sources(config, Preprocessor(schema, tokenizer, LabelPriors.load()))
    if not train:
        raise ValueError("no labelled photos to train on; lower val_fraction or add a source")
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    texts = [entity.name for entity in tokenizer.entities if entity.kind == "text"]
    index = ShardIndex(
        schema_digest=schema_digest(schema),
        train=_write_side(train, part, "train", config.seed, photos_per_shard),
        val=_write_side(val, part, "val", config.seed, photos_per_shard),
        summary=SummaryFields.of(DataSummary.of(train, tokenizer, texts)),
    )
    (part / INDEX).write_text(index.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.rename(out)
    return index


def _write_side(
    rows: Sequence[LabelledPhoto], folder: Path, side: str, seed: int, photos_per_shard: int
) -> tuple[Shard, ...]:
    by_photo: dict[Hashable, list[LabelledPhoto]] = {}
    for i, row in enumerate(rows):
        by_photo.setdefault(i if row.photo is None else row.photo, []).append(row)
    photos = list(by_photo.values())
    random.Random(seed).shuffle(photos)
    shards: list[Shard] = []
    for start in tqdm(range(0, len(photos), photos_per_shard), desc=f"{side} shards", disable=None):
        path = folder / f"{side}-{len(shards):06d}.tar"
        in_shard = photos[start : start + photos_per_shard]
        with webdataset.TarWriter(str(path), mtime=0) as tar:
            for i, of_photo in enumerate(in_shard, start):
                tar.write(encode_sample(f"{i:09d}", of_photo[0].photo, of_photo))
        weights = [row.sampling_weight for of_photo in in_shard for row in of_photo]
        shards.append(
            Shard(
                file=path.name,
                photos=len(in_shard),
                rows=len(weights),
                weight=sum(weights),
                sha256=file_digest(path),
            )
        )
    return tuple(shards)
