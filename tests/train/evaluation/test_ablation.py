"""Variants of the ablation, on layouts and photos made here."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.files.whole_file import UnusableFile
from resformer.model.images.line_segments import find_line_drawing
from resformer.model.schema.schema import Schema
from resformer.train.data.synthetic_layouts import generate
from resformer.train.evaluation import ablation
from resformer.train.evaluation.ablation import (
    VARIANTS,
    benchmark_ablation,
    without_drawing,
    without_geometry,
    without_picture,
)
from resformer.train.network.labelled_photos import labelled_photo
from resformer.train.settings.run_settings import NetworkConfig
from resformer.train.settings.sources import LabelledSource, RowSource

RECORD = generate(1, 3, Schema.load())[0]
DRAWN = replace(RECORD, photo=Path("a.png"), drawing=find_line_drawing(np.full((20, 30, 3), 200, dtype=np.uint8)))
SOURCES = (
    LabelledSource.model_construct(kind="challenge"),
    LabelledSource.model_construct(kind="hand"),
    RowSource.model_construct(kind="rows"),
)
CONFIG = NetworkConfig.model_construct(part="resformer", preset="nano", sources=SOURCES, max_minutes=1, epochs=1)
TINY = """\
part: resformer
preset: nano
sources: [{kind: synthetic, num_photos: 8}]
max_minutes: 5
epochs: 1
val_fraction: 0.0
"""


def test_without_geometry_all_layouts_of_the_same_text_are_equal() -> None:
    moved = tuple(
        replace(line, corners=tuple((3 * x + 7, 2 * y + 9) for x, y in line.corners))  # type: ignore[arg-type]
        for line in RECORD.lines
    )
    flat = without_geometry(DRAWN)
    assert flat == without_geometry(replace(DRAWN, lines=moved, width=4000, height=3000))
    assert [line.text for line in flat.lines] == [line.text for line in RECORD.lines]
    assert flat.drawing is None
    assert len({line.corners[2][1] - line.corners[1][1] for line in flat.lines}) == 1
    assert max(x for line in flat.lines for x, _ in line.corners) <= flat.width
    assert max(y for line in flat.lines for _, y in line.corners) <= flat.height


def test_without_the_picture_or_the_drawing_text_stays() -> None:
    assert without_drawing(without_picture(DRAWN)) == RECORD
    assert without_picture(labelled_photo(DRAWN)) == replace(labelled_photo(DRAWN), photo=None)


def test_every_variant_differs_from_the_whole_network_in_one_ingredient() -> None:
    whole, *others = VARIANTS
    assert whole.config(CONFIG) == CONFIG
    assert whole.view(DRAWN) is DRAWN
    for variant in others:
        assert (variant.config(CONFIG) != CONFIG) + (variant.view(DRAWN) != DRAWN) == 1, variant.without
    assert len({variant.folder for variant in VARIANTS}) == len(VARIANTS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One photo in each validation set, with `Net Wt 500 g`, and a whole row of one of them."""
    for name, labels, column, photo in (
        ("amazon", "labels_val.csv", "entity_value", "a.png"),
        ("hand", "labels_hand_val.csv", "accept", "b.png"),
    ):
        folder = tmp_path / name
        (folder / "val").mkdir(parents=True)
        Image.new("RGB", (300, 200), "white").save(folder / "val" / photo)
        with (folder / labels).open("w", newline="") as file:
            csv.writer(file).writerows([("image", "entity_name", column), (photo, "item_weight", "500 gram")])
        line = [[[10, 10], [200, 10], [200, 40], [10, 40]], "Net Wt 500 g", 0.9]
        cache = json.dumps({"image": photo, "width": 300, "height": 200, "lines": [line]})
        (folder / "words_val.jsonl.gz").write_bytes(gzip.compress(cache.encode()))
    (tmp_path / "rows").mkdir()
    row = {"image": "hand/val/b.png", "row": {"item_weight": ["500 gram"]}, "unsure": []}
    (tmp_path / "rows" / "rows_val.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def test_variants_are_trained_and_scored(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variants = [variant for variant in VARIANTS if variant.without in ("", "geometry", "picture")]
    monkeypatch.setattr(ablation, "VARIANTS", variants)
    config = data / "tiny.yaml"
    config.write_text(TINY)
    scores = benchmark_ablation(data, config, data / "runs")["scores"]
    assert [(s["without"], s["photos"]) for s in scores] == [
        (variant.without, photos) for variant in variants for photos in ("amazon val", "hand val", "rows val")
    ]
    assert all(0 <= score["f1"] <= 1 for score in scores)


def test_a_missing_folder_is_refused_before_training(tmp_path: Path) -> None:
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    with pytest.raises(UnusableFile, match="nowhere"):
        benchmark_ablation(tmp_path / "nowhere", config, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
