"""The drawn data set: in the layout of the real one, with configs that train."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.scripts.cli.main import main
from resformer.train.data.catalogue_table import read_catalogue
from resformer.train.data.photo_rows import read_photo_rows
from resformer.train.data.quantity_records import read_challenge, read_counted_labels, read_hand
from resformer.train.data.synthetic_dataset import write_dataset
from resformer.train.data.synthetic_packs import draw_pack
from resformer.train.settings.sources import ProductTables
from resformer.train.settings.yaml_settings import load_yaml, validate
from tests.paths import labelled

SCHEMA = Schema.load()
TABLES = (
    *(f"amazon/labels_{split}.csv" for split in ("train", "val")),
    *(f"hand/labels_hand_{split}.csv" for split in ("train", "val")),
    *(f"fashion/styles_{split}.csv" for split in ("train", "val")),
    *(f"hm/articles_{split}.csv" for split in ("train", "val")),
    *(f"flipkart/products_{split}.csv" for split in ("train", "val")),
    *(f"rows/map_{shop}.csv" for shop in ("hm", "flipkart")),
    "amazon/unlabelled.csv",
    "amazon/challenge_train.csv.gz",
)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "data"
    assert main(["data", "synthetic", str(folder), "--limit", "12"]) == 0
    return folder


def columns(path: Path) -> list[str]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8-sig") as file:
        return next(csv.reader(file))


@pytest.mark.parametrize("table", TABLES)
def test_tables_have_columns_of_the_real_ones(dataset: Path, table: str) -> None:
    drawn = columns(dataset / table)
    assert set(drawn) <= set(columns(labelled(table)))


def test_labels_agree_with_the_text_on_the_photos(dataset: Path) -> None:
    amazon, hand = dataset / "amazon", dataset / "hand"
    challenge = read_challenge(amazon / "labels_train.csv", amazon / "train", amazon / "words_train.jsonl.gz", SCHEMA)
    by_eye = read_hand(hand / "labels_hand_val.csv", hand / "val", hand / "words_val.jsonl.gz", SCHEMA)
    assert len(challenge) <= 12 and len(by_eye) == 4
    for record in [*challenge, *by_eye]:
        texts = " ".join(line.text for line in record.lines)
        for answer in (a for question in record.questions for a in question.accepted):
            assert str(answer).split()[0] in texts
    assert any(not q.accepted for record in by_eye for q in record.questions)
    rows = read_photo_rows(dataset / "rows" / "rows_val.jsonl", dataset, [hand / "words_val.jsonl.gz"], SCHEMA)
    assert [r.questions for r in rows] == [r.questions for r in by_eye]
    assert len(list(read_counted_labels(amazon / "challenge_train.csv.gz", SCHEMA))) > 50
    assert (
        len(read_catalogue(dataset / "hm" / "articles_val.csv", dataset / "hm" / "val", image_column="article_id")) == 4
    )


def test_corners_are_those_of_the_ink() -> None:
    rng = np.random.default_rng(1)
    pack = draw_pack(["Net Wt 500 g", "Brand new"], rng)
    for line in pack.lines:
        (x0, y0), _, (x1, y1), _ = line.corners
        pixels = np.array(pack.image.crop((int(x0) - 6, int(y0) - 6, int(x1) + 6, int(y1) + 6)).convert("L"), float)
        dark = pixels < pixels.mean() - 30
        rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
        edges = np.array([columns[0], rows[0], dark.shape[1] - columns[-1], dark.shape[0] - rows[-1]])
        assert (abs(edges - 6) <= 3).all()


def test_the_same_seed_gives_the_same_data(tmp_path: Path, dataset: Path) -> None:
    write_dataset(tmp_path / "again", 12)
    files = sorted(
        path.relative_to(dataset) for path in dataset.rglob("*") if path.is_file() and "runs" not in path.parts
    )
    assert all((dataset / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)
    assert Image.open(dataset / "fashion" / "train" / "train-0000.jpg").size == (90, 120)
    with pytest.raises(ValueError, match="is not empty"):
        write_dataset(dataset)


def test_the_validation_tables_load(dataset: Path) -> None:
    path = dataset / "products-val.yaml"
    assert len(validate(load_yaml(path), ProductTables, path).sources) == 3


def test_a_network_is_trained_part_by_part(dataset: Path, tmp_path: Path) -> None:
    """Each run keeps the parts of the one before; the last one adds entities, and its weights answer a photo."""
    weights = None
    for part, overrides in (
        ("text_detector", ["batch_size=4", "crop_side=96", "eval_max_side=160"]),
        ("text_recognizer", ["batch_size=4", "batches_per_epoch=2"]),
        ("resformer", ["batch_size=8", "image_size=32"]),
        ("own", ["batch_size=8", "image_size=32"]),
    ):
        command = ["train", str(dataset / f"{part}.yaml"), "epochs=1", *overrides]
        command += [f"init_from={weights}"] if weights else []
        command += [f"init_network_from={weights}"] if part == "own" else []
        assert main([*command, "--accelerator", "cpu", "--threads", "1", "--out", str(tmp_path / part)]) == 0
        weights = tmp_path / part / "weights.safetensors"
    assert weights is not None
    schema = dataset / "own" / "entities.yaml"
    predictor = Predictor.load(weights, schema=schema, reader="builtin", threads=1)
    photo = (dataset / "amazon" / "val" / "val-0000.jpg").read_bytes()
    names = ["item_weight", "baseColour", "category", "pattern", "shelf", "blurb", "net_content"]
    found = predictor.predict(photo, names, min_confidence=0).predictions
    assert set(found) == set(names)
    assert found["baseColour"].prediction in SCHEMA["baseColour"].labels
    assert found["pattern"].prediction in ("Plain", "Striped")
