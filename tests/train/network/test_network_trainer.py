"""Training runs of the smallest network on a small catalogue."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from resformer.model.images.loading import decode_photo
from resformer.model.inference.calibration import Calibration, read_calibrations
from resformer.model.inference.checkpoint import build_network, read_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.ocr.page import Page
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.train.engine.fabric import make_fabric
from resformer.train.network.network_trainer import NetworkTrainer
from resformer.train.network.validation import ValMetrics
from resformer.train.settings.run_settings import NetworkConfig
from tests.train.network.conftest import SMALL_SCHEMA, ConfigFactory, text_line

# An entity of every kind that SMALL_SCHEMA lacks; the text is longer than any of its own.
NEW_ENTITIES = """
  - {name: pattern, kind: choice, labels: [Solid, Stripe]}
  - {name: shape, kind: path, paths: [Wide > Belts, Tall > Shirts]}
  - {name: blurb, kind: text, max_subwords: 12}
  - {name: net, kind: quantity, units: [gram, milligram]}
"""


def train(config: NetworkConfig, out: Path) -> tuple[NetworkTrainer, ValMetrics | None, str]:
    """A run; returns the trainer, its best metrics and its log."""
    lines: list[str] = []
    trainer = NetworkTrainer(config, out, make_fabric(config.precision, accelerator="cpu"), lines.append)
    return trainer, trainer.run(), "\n".join(lines)


def pages(count: int) -> list[Page]:
    """What is printed on the first photos of the shop."""
    texts = [f"Net weight {100 + 7 * i} g" if i % 2 == 0 else f"Since {1900 + i}" for i in range(count)]
    return [Page([text_line(text)], 90, 120) for text in texts]


def answers(predictor: Predictor, shop: Path, names: Sequence[str]) -> list[dict[str, Prediction]]:
    """Answers about the first photos of the shop, with what is printed on them."""
    found = []
    for i, page in enumerate(pages(16)):
        image = decode_photo((shop / "photos" / f"{i}.png").read_bytes())
        result = predictor.predict_page(page, [predictor.schema[name] for name in names], image=image, top_k=3)
        found.append(dict(result.predictions))
    return found


def calibrations_of(weights: Path) -> dict[str, Calibration]:
    """What a file of weights says about confidences."""
    return read_calibrations(read_checkpoint(weights)[1])


Run = tuple[NetworkConfig, Path, ValMetrics, str]


@pytest.fixture(scope="module")
def run(
    make_config: ConfigFactory,
    shop_rows: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Config, folder, metrics and log of a run on rows and on the table of their products."""
    table = make_config().sources[0].model_dump()
    config = make_config(
        sources=[shop_rows, table], epochs=14, evaluate_every=7, keep_best=2, p_drop_image=0.0, learning_rate=0.004
    )
    out = tmp_path_factory.mktemp("run")
    _, metrics, log = train(config, out)
    assert metrics is not None
    return config, out, metrics, log


@pytest.mark.parametrize("settings", [{}, {"val_fraction": 0.0}], ids=["scored", "unscored"])
def test_a_run_ends_with_a_fitted_shortcut(
    make_config: ConfigFactory, tmp_path: Path, settings: dict[str, object]
) -> None:
    trainer, _, _ = train(make_config(epochs=1, **settings), tmp_path)
    weight = load_file(tmp_path / "weights.safetensors")["resformer.shortcut.linear.weight"]
    for name in ("colour", "kind", "item_weight"):
        span = trainer.tokenizer.answers(trainer.schema[name])
        assert bool(weight[span.start : span.stop].any()) == (name != "item_weight")


def test_quantities_and_labels_are_learned(run: Run) -> None:
    _, out, metrics, log = run
    assert metrics.strict_f1 >= 0.8 and metrics.accuracy["quantity"] >= 0.8
    assert metrics.accuracy["colour"] >= 0.7 and metrics.accuracy["kind"] >= 0.7
    # Of a token among a thousand: 7 where nothing is learned.
    assert metrics.text_loss < 5
    assert "random" not in log
    assert len(list((out / "best").iterdir())) == 2
    assert calibrations_of(out / "weights.safetensors") == metrics.calibrations
    assert metrics.calibrations.keys() == {"quantity", "choice", "path"}


def test_weights_of_unknown_entities_are_refused(make_config: ConfigFactory, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="entity_weights has 'color', which is no entity of the schema"):
        train(make_config(entity_weights={"color": 2.0}), tmp_path)


def test_the_weights_answer(run: Run, shop: Path, small_schema: Path) -> None:
    predictor = Predictor.load(run[1] / "weights.safetensors", schema=small_schema, threads=1)
    found = answers(predictor, shop, ["item_weight", "voltage", "colour", "title"])
    weights = [row["item_weight"].prediction for row in found]
    assert weights == [f"{100 + 7 * i} gram" if i % 2 == 0 else "" for i in range(16)]
    assert {row["voltage"].prediction for row in found} == {""}
    rows = [line.split(",") for line in (shop / "table.csv").read_text().splitlines()[1:17]]
    assert sum(row["colour"].prediction == cells[2] for row, cells in zip(found, rows, strict=True)) >= 12
    alone = answers(predictor, shop, ["colour"])
    assert [row["colour"] for row in alone] == [row["colour"] for row in found]
    with pytest.raises(ValueError, match="other entities"):
        Predictor.load(run[1] / "weights.safetensors", threads=1)


def test_a_finished_run_has_nothing_left_to_do(run: Run) -> None:
    config, out, _, _ = run
    assert NetworkTrainer(config, out, make_fabric(accelerator="cpu"), lambda text: None).done


def test_a_resumed_run_has_the_same_weights(make_config: ConfigFactory, tmp_path: Path, small_schema: Path) -> None:
    weights = save_random(tmp_path / "init.safetensors", small_schema, ("resformer", "text_detector"))
    config = make_config(
        sources=[{"kind": "synthetic", "num_photos": 20}],
        init_from=weights,
        init_network_from=weights,
        init_schema=small_schema,
        batch_size=4,
        epochs=2,
        evaluate_every=1,
        save_every_steps=3,
        image_size=32,
        dropout=0.1,
    )
    whole, _, log = train(config, tmp_path / "whole")
    assert f"continues {weights}" in log
    stopped = config.model_copy(update={"max_minutes": 1e-9})
    for _ in range(20):
        trainer, _, log = train(stopped, tmp_path / "parts")
        if trainer.done:
            break
    assert trainer.done and "resumed at epoch" in log
    # Not the files: they hold the best weights, and a stopped run is evaluated more often.
    once, again = (of_run.averaged.state_dict() for of_run in (whole, trainer))
    assert all(torch.equal(once[name], again[name]) for name in once)
    # Nothing but plain values is in the state: no path, no class.
    state = torch.load(tmp_path / "parts" / "state.pt", weights_only=True)
    assert state["fingerprint"]["part"] == "resformer"


def save_random(path: Path, schema_file: Path, parts: Sequence[str], **facts: str) -> Path:
    """Weights of random networks."""
    torch.manual_seed(1)
    tokenizer = Tokenizer(Schema.load(schema_file))
    save_checkpoint(path, build_network(preset("nano"), tokenizer, parts), tokenizer, **facts)
    return path


def test_other_parts_and_what_is_known_of_them_are_kept(
    make_config: ConfigFactory, tmp_path: Path, small_schema: Path
) -> None:
    parts = ("resformer", "text_detector", "text_recognizer")
    calibration = '{"quantity": {"temperature": 1.5, "min_confidence": 0.4}}'
    facts = {"calibration": calibration, "text_detector_epochs": "3"}
    weights = save_random(tmp_path / "init.safetensors", small_schema, parts, **facts)
    config = make_config(
        init_from=weights, init_network_from=weights, cached_views=2, epochs=1, evaluate_every=1, precision="bf16-mixed"
    )
    train(config, tmp_path / "out")
    before, after = (load_file(path) for path in (weights, tmp_path / "out" / "weights.safetensors"))
    kept = [name for name in before if not name.startswith("resformer.") or name.startswith("resformer.image.")]
    assert len(kept) > 300 and all(torch.equal(before[name], after[name]) for name in kept)
    assert not torch.equal(before["resformer.embedding.weight"], after["resformer.embedding.weight"])
    metadata = read_checkpoint(tmp_path / "out" / "weights.safetensors")[1]
    assert metadata["text_detector_epochs"] == "3" and metadata["resformer_epochs"] == "1"
    calibrations = calibrations_of(tmp_path / "out" / "weights.safetensors")
    assert calibrations["quantity"].temperature == 1.5 and "choice" in calibrations


def test_a_table_of_texts_alone_is_trained_on(make_config: ConfigFactory, tmp_path: Path) -> None:
    config = make_config()
    table = config.sources[0].model_dump() | {"label_columns": {"title": "name"}}
    _, metrics, log = train(make_config(sources=[table], epochs=1, evaluate_every=1), tmp_path)
    assert metrics is not None and metrics.accuracy == {} and metrics.text_loss > 0
    assert not metrics.calibrations.keys() & {"quantity", "choice", "path"}
    assert "random answers, for item_weight, voltage, kind, colour" in log


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pattern", {"label_columns": {"pattern": "pattern"}}),
        ("shape", {"label_columns": {"shape": "kind"}}),
        ("blurb", {"label_columns": {"blurb": "blurb"}}),
        ("net", None),
    ],
)
def test_a_new_entity_leaves_all_answers_as_they_are(
    make_config: ConfigFactory,
    run: Run,
    shop: Path,
    small_schema: Path,
    tmp_path: Path,
    name: str,
    source: dict[str, object] | None,
) -> None:
    schema = tmp_path / "schema.yaml"
    (entry,) = [line for line in NEW_ENTITIES.splitlines() if f"name: {name}," in line]
    schema.write_text(SMALL_SCHEMA + entry + "\n")
    weights = run[1] / "weights.safetensors"
    if source is None:
        (shop / "net.csv").write_text(
            "image,entity_name,entity_value\n" + "".join(f"{i}.png,net,{100 + 7 * i} gram\n" for i in range(0, 96, 2))
        )
        data: dict[str, object] = {"kind": "challenge", "labels": shop / "net.csv", "photos": shop / "photos"}
        data["ocr"] = shop / "words.jsonl"
    else:
        data = make_config().sources[0].model_dump() | source
    config = make_config(
        schema=schema,
        sources=[data],
        init_from=weights,
        init_network_from=weights,
        init_schema=small_schema,
        freeze=True,
        cached_views=1,
        epochs=3,
        evaluate_every=3,
        learning_rate=0.03,
    )
    trainer, metrics, log = train(config, tmp_path)
    assert metrics is not None and f"new are {name}" in log and "random" not in log
    trained = tmp_path / "weights.safetensors"
    assert calibrations_of(trained) == calibrations_of(weights)

    before, after = load_file(weights), load_file(trained)
    by_answer = ("log_prior", "shortcut.linear.weight", "shortcut.linear.bias")
    sized = ("embedding.weight", "decoder.bias", "decoder.position.weight", *by_answer)
    changed = [n for n in before if before[n].shape != after[n].shape or not torch.equal(before[n], after[n])]
    assert {n.removeprefix("resformer.") for n in changed} <= set(sized)
    old, new = Tokenizer(Schema.load(small_schema)), trainer.tokenizer
    added = new.answers(new.schema[name])
    fitted = after["resformer.shortcut.linear.weight"][added.start : added.stop].any()
    assert bool(fitted) == (new.schema[name].kind in ("choice", "path"))
    for entity in old.entities:
        same = new.schema[entity.name]
        pairs = [(old.prompt(entity), new.prompt(same)), *zip(old.answers(entity), new.answers(same), strict=True)]
        pairs += [(old.subwords[7], new.subwords[7]), (old.unit("gram"), new.unit("gram"))]
        for row, new_row in pairs:
            assert torch.equal(before["resformer.embedding.weight"][row], after["resformer.embedding.weight"][new_row])
            assert before["resformer.decoder.bias"][row] == after["resformer.decoder.bias"][new_row]
            if row < old.num_answers:
                for tensor in by_answer:
                    assert torch.equal(before[f"resformer.{tensor}"][row], after[f"resformer.{tensor}"][new_row])

    first = Predictor.load(weights, schema=small_schema, threads=1)
    second = Predictor.load(trained, schema=schema, threads=1)
    names = [entity.name for entity in old.entities]
    assert answers(first, shop, names) == answers(second, shop, names)
    if name in ("shape", "net"):  # which ask for what the network knows by another name
        assert metrics.accuracy["shape" if name == "shape" else "presumed"] >= 0.7
    assert all(isinstance(row[name].prediction, str) for row in answers(second, shop, [name]))


def test_freeze_needs_something_new(make_config: ConfigFactory, run: Run, tmp_path: Path) -> None:
    config = make_config(init_network_from=run[1] / "weights.safetensors", freeze=True)
    with pytest.raises(ValueError, match=r"the schema has nothing that .* has not learned; add an entity"):
        NetworkTrainer(config, tmp_path, make_fabric(accelerator="cpu"))


def test_a_run_can_be_watched(run: Run) -> None:
    _, out, _, _ = run
    events = EventAccumulator(str(out), size_guidance={"images": 0})
    events.Reload()
    scalars = set(events.Tags()["scalars"])
    assert {"loss/train", "loss/quantities", "loss/labels", "learning rate", "strict_f1"} <= scalars
    assert {"calibration error/quantity", "temperature/quantity", "accuracy/quantity"} <= scalars
    picture = Image.open(io.BytesIO(events.Images("answers")[-1].encoded_image_string))
    assert picture.width == 4 * 320
    right_box = (0, 160, 0)
    assert (np.asarray(picture.convert("RGB")) == right_box).all(axis=-1).any()
