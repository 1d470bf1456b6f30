"""Shards of training data: what is written is read again, and batches of them can be made again."""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from resformer.model.inference.inputs import Preprocessor
from resformer.model.schema.schema import Schema
from resformer.scripts.cli.main import app
from resformer.train.engine.fabric import make_fabric
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.network_trainer import NetworkTrainer
from resformer.train.network.photo_shards import PhotoShards
from resformer.train.network.read_sources import read_sources
from resformer.train.network.shard_batches import ShardBatches
from resformer.train.settings.run_settings import NetworkConfig
from resformer.train.tools.write_shards import write_shards
from tests.train.network.conftest import ConfigFactory


@pytest.fixture(scope="module")
def source_config(make_config: ConfigFactory, shop_rows: dict[str, object]) -> NetworkConfig:
    """Whole rows with a second OCR cache, their table, and made-up titles, of which some have no photo."""
    again = {**shop_rows, "extra_ocr": shop_rows["ocr"], "sampling_weight": 0.5}
    table = make_config().sources[0].model_dump()
    titles = {"kind": "synthetic", "num_photos": 20, "titles": 0.5}
    return make_config(sources=[again, table, titles])


@pytest.fixture(scope="module")
def folder(source_config: NetworkConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shards of this config."""
    out = tmp_path_factory.mktemp("shards") / "shop"
    write_shards(source_config, out, photos_per_shard=16)
    return out


@pytest.fixture
def shards(folder: Path, small_schema: Path) -> PhotoShards:
    return PhotoShards(folder, Schema.load(small_schema))


@pytest.fixture
def shard_config(make_config: ConfigFactory, folder: Path) -> NetworkConfig:
    source = {"kind": "shards", "shards": folder, "shuffle_shards": 2}
    return make_config(sources=[source], batch_size=8, epochs=2, save_every_steps=1, evaluate_every=2)


def batches_of(
    shards: PhotoShards, preprocessor: Preprocessor, config: NetworkConfig, *, epoch: int = 0, lanes: int = 2
) -> ShardBatches:
    return ShardBatches(shards, preprocessor, config, epoch, {}, lanes=lanes, shuffle_shards=2, side=48)


def facts(photo: LabelledPhoto) -> dict[str, object]:
    """The fields of a row, with the content of its photo and of its line drawing."""
    found = {field.name: getattr(photo, field.name) for field in fields(photo)}
    drawing = photo.drawing
    return found | {
        "photo": photo.photo and (photo.photo.name, photo.photo.read_bytes()),
        "drawing": drawing and (drawing.segments.tolist(), drawing.contrast.tolist(), drawing.outline),
    }


def test_all_rows_are_in_the_shards_as_they_are(
    source_config: NetworkConfig, preprocessor: Preprocessor, shards: PhotoShards
) -> None:
    train, val = read_sources(source_config, preprocessor)
    written = [row for shard in shards.index.train for row in shards.read(shard)]
    for expected, found in ((train, written), (val, shards.val_rows())):
        assert len(expected) == len(found) > 0
        remaining = [facts(row) for row in found]
        for row in expected:
            remaining.remove(facts(row))
    assert any(row.photo is None for row in written) and any(row.drawing for row in written)
    assert max(Counter(id(row.photo) for row in written if row.photo).values()) == 2  # a photo is stored once
    assert shards.summary.num_items == sum(shard.rows for shard in shards.index.train) == len(train)
    assert shards.index.train[0].photos == 16
    assert {"colour", "kind"} <= shards.summary.labelled <= shards.summary.learned


def test_the_same_data_gives_the_same_shards(source_config: NetworkConfig, folder: Path, tmp_path: Path) -> None:
    write_shards(source_config, tmp_path / "again", photos_per_shard=16)
    assert (tmp_path / "again" / "index.json").read_bytes() == (folder / "index.json").read_bytes()
    with pytest.raises(ValueError, match="again exists; choose another --out"):
        write_shards(source_config, tmp_path / "again", photos_per_shard=16)


def test_a_broken_folder_is_refused(source_config: NetworkConfig, tmp_path: Path, small_schema: Path) -> None:
    out = tmp_path / "shards"
    write_shards(source_config, out, photos_per_shard=16)
    with pytest.raises(ValueError, match="was made for another schema"):
        PhotoShards(out, Schema.load())
    shards = PhotoShards(out, Schema.load(small_schema))
    first, second, third, *_ = shards.index.train
    content = (out / first.file).read_bytes()
    (out / first.file).write_bytes(content[: len(content) // 2])
    (out / second.file).write_bytes((out / third.file).read_bytes()[:1024])
    (out / third.file).unlink()
    for shard in (first, second, third):
        with pytest.raises(ValueError, match=rf"{shard.file} .*copy it again or make the shards anew"):
            list(shards.read(shard))
    (out / "index.json").unlink()
    with pytest.raises(ValueError, match=r"has no index\.json of shards; `resformer data shard` writes both"):
        PhotoShards(out, Schema.load(small_schema))


def test_a_batch_is_made_from_seed_epoch_and_index(
    shards: PhotoShards, preprocessor: Preprocessor, shard_config: NetworkConfig
) -> None:
    whole = batches_of(shards, preprocessor, shard_config)
    in_order = [whole[i] for i in range(len(whole))]
    last, targets = batches_of(shards, preprocessor, shard_config)[len(whole) - 1]
    assert torch.equal(last.pixels, in_order[-1][0].pixels) and torch.equal(last.words, in_order[-1][0].words)
    assert torch.equal(targets.right, in_order[-1][1].right)
    assert last.pixels.shape == (8, 3, 48, 48) and targets.may_flip.tolist() == [True] * 8
    other = batches_of(shards, preprocessor, shard_config, epoch=1)[0][0]
    assert not torch.equal(other.pixels, in_order[0][0].pixels)


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_an_epoch_shows_all_rows(
    shards: PhotoShards, preprocessor: Preprocessor, shard_config: NetworkConfig, lanes: int
) -> None:
    """About as often as their sampling weights say, with a lane's shards read for its own batches alone."""
    read: dict[str, set[int]] = {}
    shown: Counter[str] = Counter()
    weight = sum(shard.weight for shard in shards.index.train)
    epochs = 6
    for epoch in range(epochs):
        batches = batches_of(shards, preprocessor, shard_config, epoch=epoch, lanes=lanes)
        assert len(batches) % lanes == 0 and len(batches) == pytest.approx(weight / 8, abs=lanes)
        read.clear()
        for lane in range(lanes):
            for number, (_, of_window) in enumerate(batches._lanes[lane]):
                window = batches._window(lane, number)
                shown.update(window.photos[i].name for i in window.batches.flatten())
                for shard in of_window:
                    read.setdefault(shard.file, set()).add(lane)
        assert read.keys() == {shard.file for shard in shards.index.train}
        assert all(len(lanes_of_shard) == 1 for lanes_of_shard in read.values())
    expected: Counter[str] = Counter()
    for shard in shards.index.train:
        for row in shards.read(shard):
            expected[row.name] += row.sampling_weight  # type: ignore[assignment]
    rates = np.array([shown[name] / epochs / expected[name] for name in expected])
    assert rates.mean() == pytest.approx(1, abs=0.15) and (rates > 0).all()


def test_more_lanes_than_shards_are_refused(
    shards: PhotoShards, preprocessor: Preprocessor, shard_config: NetworkConfig
) -> None:
    with pytest.raises(ValueError, match=r"too few for 99 batches a step; write smaller ones by --photos-per-shard"):
        batches_of(shards, preprocessor, shard_config, lanes=99)


def test_shards_are_the_only_source(shard_config: NetworkConfig, make_config: ConfigFactory) -> None:
    shards, table = shard_config.sources[0].model_dump(), make_config().sources[0].model_dump()
    with pytest.raises(ValueError, match="shards are a run's only source"):
        make_config(sources=[shards, table])
    with pytest.raises(ValueError, match="cached_views needs all photos in memory"):
        make_config(sources=[shards], cached_views=1, init_network_from=shard_config.schema_file)


def test_a_run_stopped_inside_an_epoch_ends_as_an_uninterrupted_one(
    shard_config: NetworkConfig, tmp_path: Path
) -> None:
    def trainer(name: str, **changes: object) -> NetworkTrainer:
        config = shard_config.model_copy(update={"epochs": 1, "evaluate_every": 1, "image_size": 32, **changes})
        return NetworkTrainer(config, tmp_path / name, make_fabric(accelerator="cpu"), lambda text: None)

    whole = trainer("whole", accumulate_batches=2)
    assert whole.run() is not None  # the validation shards
    trainer("parts", accumulate_batches=2, max_minutes=1e-6).run()
    parts = trainer("parts", accumulate_batches=2, num_workers=1)
    assert (parts.progress.epoch, parts.progress.batch, parts.progress.step) == (0, 2, 1)
    parts.run()
    for one, other in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert (tmp_path / "parts" / "weights.safetensors").is_file()


def test_the_command_writes_shards(tmp_path: Path) -> None:
    config = tmp_path / "synthetic.yaml"
    config.write_text(
        "part: resformer\npreset: nano\nmax_minutes: 1\nepochs: 1\nsources: [{kind: synthetic, num_photos: 30}]\n"
    )
    command = ["data", "shard", str(config), "--out", str(tmp_path / "shards"), "--photos-per-shard", "10"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "train: 3 shards, 2" in done.output and "val: 1 shards, " in done.output
    assert sorted(path.name for path in (tmp_path / "shards").iterdir())[:2] == ["index.json", "train-000000.tar"]
