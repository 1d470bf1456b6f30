"""Training runs of the attribute network on a small catalogue."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from resformer.model.predictor import Predictor
from resformer.model.schema.schema import SCHEMA_FILE
from resformer.train.attributes.attribute_trainer import AttributeTrainer
from resformer.train.attributes.attribute_validation import ValMetrics
from resformer.train.engine.fabric import make_fabric
from resformer.train.settings.run_settings import AttributeConfig
from tests.train.attributes.conftest import ConfigFactory

IMAGE_MODULES = ("attributes.backbone", "attributes.deep_stage", "attributes.patch_proj", "attributes.color_proj")
PATTERN = "  - name: pattern\n    kind: choice\n    labels: [Solid, Stripe]\n"
TINT = "  - name: tint\n    kind: choice\n    labels: [Blue, Green, Red]\n"


def train(config: AttributeConfig, out: Path) -> tuple[AttributeTrainer, ValMetrics | None, str]:
    """A run; returns the trainer, its best metrics and its log."""
    lines: list[str] = []
    trainer = AttributeTrainer(config, out, make_fabric(accelerator="cpu"), lines.append)
    return trainer, trainer.run(), "\n".join(lines)


def read_rows(shop: Path) -> list[dict[str, str]]:
    """The first rows of the shop's table."""
    with (shop / "table.csv").open() as table:
        return list(csv.DictReader(table))[:24]


def predict(predictor: Predictor, shop: Path, entities: list[str], *, with_title: bool) -> list[dict[str, Any]]:
    """Answers about the photos of the first rows, by entity."""
    answers = []
    for row in read_rows(shop):
        photo = (shop / "photos" / row["id"]).read_bytes()
        result = predictor.predict(photo, entities, title=row["name"] if with_title else "")
        answers.append(result.as_dict()["predictions"])
    return answers


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The shipped schema with one choice more, and with two."""
    shipped = SCHEMA_FILE.read_text(encoding="utf-8").replace("taxonomies/", f"{SCHEMA_FILE.parent}/taxonomies/")
    folder = tmp_path_factory.mktemp("schemas")
    (folder / "pattern.yaml").write_text(shipped + PATTERN, encoding="utf-8")
    (folder / "tint.yaml").write_text(shipped + TINT + PATTERN, encoding="utf-8")
    return folder / "pattern.yaml", folder / "tint.yaml"


@pytest.fixture(scope="module")
def run(
    make_config: ConfigFactory, schemas: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[AttributeConfig, Path, ValMetrics, str]:
    """Config, weights, metrics and log of a run; no code mentions its entity `pattern`."""
    columns = {"pattern": "pattern", "category": "kind", "title": "name"}
    config = make_config(label_columns=columns, schema=schemas[0], keep_best=2)
    out = tmp_path_factory.mktemp("run")
    _, metrics, log = train(config, out)
    assert metrics is not None
    return config, out / "weights.safetensors", metrics, log


Run = tuple[AttributeConfig, Path, ValMetrics, str]


def test_a_new_choice_is_learned(run: Run) -> None:
    _, weights, metrics, log = run
    assert metrics.image_accuracy["pattern"] >= 0.8 and metrics.text_accuracy["category"] >= 0.8
    # Of a token among a thousand: 7 where nothing is learned.
    assert metrics.text_loss < 4.5
    assert "neither training data nor learned weights for gender" in log and "at random" in log
    assert len(list((weights.parent / "best").iterdir())) == 2
    tensors = load_file(weights)
    assert tensors["attributes.bag_of_words.weight"].any() and tensors["attributes.bag_of_words.idf"].any()
    assert not torch.equal(tensors["attributes.member_weights"][-1], torch.tensor([1.0, 0.5, 0.5, 0.0]))


def test_the_weights_answer_with_their_schema(shop: Path, schemas: tuple[Path, Path], run: Run) -> None:
    weights = run[1]
    with pytest.raises(ValueError, match="other labels"):
        Predictor.load(weights, reader="builtin")
    predictor = Predictor.load(weights, schema=schemas[0], reader="builtin")
    answers = predict(predictor, shop, ["pattern", "title"], with_title=False)
    right = [a["pattern"]["prediction"] == row["pattern"] for a, row in zip(answers, read_rows(shop), strict=True)]
    assert sum(right) >= 0.8 * len(right)
    assert all(isinstance(answer["title"]["prediction"], str) for answer in answers)


def test_a_finished_run_has_nothing_left_to_do(run: Run) -> None:
    config, weights, _, _ = run
    assert AttributeTrainer(config, weights.parent, make_fabric(accelerator="cpu"), lambda text: None).done


def test_an_added_entity_leaves_the_others_as_they_are(
    make_config: ConfigFactory, shop: Path, schemas: tuple[Path, Path], run: Run, tmp_path: Path
) -> None:
    weights = run[1]
    config = make_config(
        label_columns={"tint": "colour"},
        schema=schemas[1],
        init_from=weights,
        init_attributes_from=weights,
        init_schema=schemas[0],
        cached_views=2,
        epochs=4,
        learning_rate=0.001,
    )
    trainer, metrics, log = train(config, tmp_path)
    assert metrics is not None and metrics.text_accuracy["tint"] >= 0.8
    assert "9 of 10 entities are carried over" in log
    assert "no training data for gender" in log and "random" not in log

    before, after = load_file(weights), load_file(tmp_path / "weights.safetensors")
    frozen = [name for name in before if name.startswith(IMAGE_MODULES)]
    assert frozen and all(torch.equal(before[name], after[name]) for name in frozen)
    assert not torch.equal(before["attributes.decoder.norm.weight"], after["attributes.decoder.norm.weight"])
    tokens = list(trainer.label_tokenizer.labels(trainer.schema["pattern"]))
    for name in ("attributes.decoder.embedding.weight", "attributes.decoder.bias", "attributes.log_prior"):
        assert torch.equal(before[name][-2:], after[name][tokens])
    assert torch.equal(before["attributes.member_weights"][-1], after["attributes.member_weights"][-1])

    old = Predictor.load(weights, schema=schemas[0], reader="builtin")
    new = Predictor.load(tmp_path / "weights.safetensors", schema=schemas[1], reader="builtin")
    for with_title in (False, True):
        answers = [predict(p, shop, ["pattern", "category"], with_title=with_title) for p in (old, new)]
        pairs = [(a[name], b[name]) for a, b in zip(*answers, strict=True) for name in ("pattern", "category")]
        same = [one["prediction"] == other["prediction"] for one, other in pairs]
        assert sum(same) >= 0.9 * len(same)
        changes = [abs(one["confidence"] - other["confidence"]) for one, other in pairs]
        assert sum(changes) / len(changes) < 0.1


def test_mixed_precision_trains(make_config: ConfigFactory, tmp_path: Path) -> None:
    config = make_config(precision="bf16-mixed", epochs=1, val_fraction=0.1)
    trainer = AttributeTrainer(config, tmp_path, make_fabric("bf16-mixed", accelerator="cpu"), lambda text: None)
    assert trainer.run() is not None and trainer.progress.step == trainer.batches_per_epoch


def test_weights_for_other_quantities_are_refused(make_config: ConfigFactory, run: Run, tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text(f"entities:\n  - {{name: voltage, kind: quantity, units: [volt]}}\n{PATTERN}")
    config = make_config(label_columns={"pattern": "pattern"}, schema=schema, init_from=run[1])
    with pytest.raises(ValueError, match="does not fit: it was trained for other quantities"):
        train(config, tmp_path / "run")


def test_a_resumed_run_ends_as_an_uninterrupted_one(make_config: ConfigFactory, run: Run, tmp_path: Path) -> None:
    config, weights, _, _ = run
    settings = {"schema": config.schema_file, "init_attributes_from": weights, "freeze_blocks": 4, "epochs": 1}
    columns = {"pattern": "pattern"}
    train(make_config(label_columns=columns, **settings), tmp_path / "straight")
    short = make_config(label_columns=columns, max_minutes=1e-6, **settings)
    interrupted, _, _ = train(short, tmp_path / "resumed")
    assert 0 < interrupted.progress.batch < interrupted.batches_per_epoch
    resumed, _, log = train(make_config(label_columns=columns, **settings), tmp_path / "resumed")
    assert resumed.done and "resumed at epoch 0" in log
    straight = load_file(tmp_path / "straight" / "weights.safetensors")
    after = load_file(tmp_path / "resumed" / "weights.safetensors")
    assert all(torch.equal(tensor, after[name]) for name, tensor in straight.items())
    # Of the backbone, the frozen blocks stay as they are.
    before, trunk = load_file(weights), "attributes.backbone.trunk."
    changed = {n for n in before if n.startswith(trunk) and not torch.equal(before[n], after[n])}
    blocks = len(list(resumed.attributes.backbone.trunk.children()))
    assert {int(name.removeprefix(trunk).split(".")[0]) for name in changed} == set(range(4, blocks))
