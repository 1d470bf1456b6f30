"""Settings: shipped configs load, and errors say what to change."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from resformer.train.settings.run_settings import DetectorConfig, NetworkConfig, load_config
from resformer.train.settings.sources import ProductTables
from resformer.train.settings.yaml_settings import load_yaml, validate
from tests.paths import CONFIGS, ROOT

LAYOUTS = {
    "part": "resformer",
    "preset": "nano",
    "max_minutes": 1,
    "epochs": 1,
    "sources": [{"kind": "synthetic", "num_photos": 3}],
}
SOURCE_KINDS = "challenge, hand, rows, shards, synthetic, table, unlabelled"


def write(folder: Path, **values: object) -> Path:
    """A config of LAYOUTS with other values; None leaves a key out."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({key: v for key, v in {**LAYOUTS, **values}.items() if v is not None}))
    return path


def errors(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ValueError) as caught:
        load_config(path, overrides)
    first, *lines = str(caught.value).splitlines()
    assert first == f"{path} has {len(lines)} error(s):"
    return [line.strip() for line in lines]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configs_load_where_their_data_is(path: Path) -> None:
    try:
        data = load_yaml(path)
        validate(data, ProductTables, path) if "part" not in data else load_config(path)
    except ValueError as error:
        lines = str(error).splitlines()[1:]
        if lines and all("does not exist" in line for line in lines):
            pytest.skip(f"{lines[0].strip()}; nothing else is wrong with the config")
        raise


def test_make_words_makes_the_ocr_caches_of_shipped_configs() -> None:
    named = {file for path in CONFIGS.glob("*.yaml") for file in re.findall(r"build/words/[\w.-]+", path.read_text())}
    command = ["make", "--always-make", "--dry-run", "words"]
    made = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {file for file in named if f"--out {file}\n" not in made} == set()


def test_values_and_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, learning_rate="5e-4"))
    assert isinstance(config, NetworkConfig)
    assert (config.learning_rate, config.batch_size, config.sources[0].kind) == (5e-4, 32, "synthetic")


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        preset="huge",
        max_minutes=-1,
        epochs=None,
        batch_size="many",
        learning_rte=3,
        sources=[{"kind": "photos"}, {"kind": "challenge", "labels": "nowhere.csv", "photos": ".", "ocr": "no.gz"}],
    )
    assert errors(path) == [
        "preset: unknown preset 'huge'; known: " + load_presets(),
        "max_minutes: -1 is not above 0",
        "epochs: missing",
        "batch_size: 'many' is not a whole number",
        f"sources[0].kind: 'photos' is not one of {SOURCE_KINDS}",
        f"sources[1].labels: {tmp_path / 'nowhere.csv'} does not exist",
        f"sources[1].ocr: {tmp_path / 'no.gz'} does not exist; `resformer data ocr` makes it",
        "learning_rte: unknown key; did you mean learning_rate?",
    ]


def load_presets() -> str:
    from resformer.model.networks.presets import PRESETS

    return ", ".join(PRESETS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"val_fraction": 1.0}, "val_fraction: 1.0 is not below 1"),
        ({"p_title": 1.2}, "p_title: 1.2 is above 1"),
        ({"num_workers": -1}, "num_workers: -1 is below 0"),
        ({"batch_size": 1.5}, "batch_size: 1.5 is not a whole number"),
        ({"precision": "fp16"}, "precision: 'fp16' is not '32-true', 'bf16-mixed' or '16-mixed'"),
        ({"sources": []}, "sources: at least 1 is needed"),
        ({"sources": "synthetic"}, "sources: expected a list, each entry behind a dash"),
        ({"sources": [{"kind": "synthetic", "num_photos": 0}]}, "sources[0].num_photos: 0 is not above 0"),
        ({"sources": [{"num_photos": 1}]}, f"sources[0].kind: missing; one of {SOURCE_KINDS}"),
        ({"part": None}, "part: missing; one of resformer, text_detector, text_recognizer"),
        ({"part": "maps"}, "part: 'maps' is not one of resformer, text_detector, text_recognizer"),
        ({"crop_side": 32}, "crop_side: unknown key"),  # a key of another part
        ({"schemas": "x"}, "schemas: unknown key; did you mean schema?"),
    ],
)
def test_an_error_says_what_to_change(tmp_path: Path, values: dict[str, object], message: str) -> None:
    assert errors(write(tmp_path, **values)) == [message]


@pytest.mark.parametrize("key", ["batches_per_epoch", "epochs", "crop_side", "cached_views"])
def test_counts_and_sizes_are_positive(tmp_path: Path, key: str) -> None:
    part = {"batches_per_epoch": "text_recognizer", "crop_side": "text_detector"}
    lines = errors(write(tmp_path, part=part.get(key, "resformer"), **{key: -1}))
    assert any(line.startswith(f"{key}: -1 is ") for line in lines)


def test_files_are_relative_to_the_config(tmp_path: Path) -> None:
    for name in ("photos", "ocr.jsonl", "weights"):
        (tmp_path / name).touch()
    sources = [{"photos": "photos", "ocr": "ocr.jsonl"}]
    path = write(tmp_path, part="text_detector", init_from="weights", sources=sources)
    config = load_config(path)
    assert isinstance(config, DetectorConfig)
    assert (config.init_from, config.sources[0].ocr) == (tmp_path / "weights", tmp_path / "ocr.jsonl")
    assert errors(path, "pretrained_ocr=other") == ["pretrained_ocr: 'other' is not 'ppocrv6-tiny'"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["cached_views=2"], "cached_views needs init_network_from, or the stem would stay random"),
        (["freeze=true"], "freeze needs init_network_from, or the network would stay random"),
        (["init_schema=weights"], "init_schema needs init_network_from, whose schema it is"),
        (
            ["pretrained_backbone=efficientnet-lite1"],
            "the weights of pretrained_backbone fit the preset small, not nano",
        ),
        (
            ["pretrained_backbone=efficientnet-lite1", "init_network_from=weights"],
            "pretrained_backbone and init_network_from exclude each other: both bring a stem",
        ),
    ],
)
def test_what_excludes_each_other_is_refused(tmp_path: Path, overrides: list[str], message: str) -> None:
    (tmp_path / "weights").touch()
    assert errors(write(tmp_path), *overrides) == [f"config: {message}"]


def test_labels_that_are_balanced_are_those_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    columns = {"category": "kind"}
    table = {"kind": "table", "table": "t.csv", "photos": ".", "image_column": "id", "label_columns": columns}
    path = write(tmp_path, sources=[table])
    assert isinstance(load_config(path), NetworkConfig)
    assert errors(path, "sources.0.balance_by=gender") == [
        "sources[0]: balance_by is 'gender', which is not among the label_columns"
    ]
    assert errors(path, "sources.0.label_counts=t.csv")[0].startswith("sources[0]: label_counts need `balance_by`")


def test_overrides_replace_values(tmp_path: Path) -> None:
    path = write(tmp_path)
    config = load_config(path, ["epochs=7", "sources.0.num_photos=9", "sources.0.kind=synthetic", "seed=3"])
    assert isinstance(config, NetworkConfig)
    assert (config.epochs, config.seed) == (7, 3)
    source = {"kind": "synthetic", "num_photos": 9, "titles": 0.0, "sampling_weight": 1.0}
    assert config.sources[0].model_dump() == source
    assert errors(path, "epoch=7") == ["epoch: unknown key; did you mean epochs?"]
    for override, message in (
        ("epochs", "not of the form key=value"),
        ("sources.3.kind=a", "does not fit"),
        ("epochs.of=1", "does not fit"),
    ):
        with pytest.raises(ValueError, match=message):
            load_config(path, [override])


def test_an_unreadable_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read the config"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(ValueError, match="expected keys and values, found list"):
        load_config(tmp_path / "list.yaml")
