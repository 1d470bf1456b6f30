"""Networks without one of their parts, on layouts and photos made here."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.images.line_segments import find_line_drawing
from resformer.model.schema.schema import Schema
from resformer.train.config import Config, Source
from resformer.train.data.synthetic_layouts import generate
from resformer.train.evaluation.ablation import PARTS, main, without_geometry, without_picture

RECORD = generate(1, 3, Schema.load())[0]
DRAWN = replace(RECORD, drawing=find_line_drawing(np.full((20, 30, 3), 200, dtype=np.uint8)))
CONFIG = Config(preset="nano", sources=(Source("challenge"), Source("hand")), minutes=1, epochs=1)


def test_without_geometry_all_places_of_the_same_words_look_alike() -> None:
    moved = tuple(
        replace(line, corners=tuple((3 * x + 7, 2 * y + 9) for x, y in line.corners))  # type: ignore[arg-type]
        for line in RECORD.lines
    )
    flat = without_geometry(DRAWN)
    assert flat == without_geometry(replace(RECORD, lines=moved, width=4000, height=3000))
    assert [line.text for line in flat.lines] == [line.text for line in RECORD.lines]
    assert flat.drawing is None
    assert len({line.corners[2][1] - line.corners[1][1] for line in flat.lines}) == 1
    assert max(x for line in flat.lines for x, _ in line.corners) <= flat.width
    assert max(y for line in flat.lines for _, y in line.corners) <= flat.height


def test_without_picture_words_stay() -> None:
    assert without_picture(DRAWN) == RECORD


def test_every_part_takes_something_away() -> None:
    whole, *others = PARTS
    assert whole.config(CONFIG) == CONFIG
    assert whole.view(DRAWN) is DRAWN
    for part in others:
        changes = (part.config(CONFIG) != CONFIG, part.view(DRAWN) != DRAWN, part.empty_margin != whole.empty_margin)
        assert sum(changes) == 1, part.name
    assert [p.name for p in PARTS if p.folder == whole.folder] == ["", "abstention"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One photo in each validation set, `Net Wt 500 g` on it."""
    for name, labels, column in (
        ("amazon", "labels_val.csv", "entity_value"),
        ("hand", "labels_hand_val.csv", "accept"),
    ):
        folder = tmp_path / name
        (folder / "val").mkdir(parents=True)
        Image.new("RGB", (300, 200), "white").save(folder / "val" / "a.png")
        with (folder / labels).open("w", newline="") as file:
            csv.writer(file).writerows([("image", "entity_name", column), ("a.png", "item_weight", "500 gram")])
        line = [[[10, 10], [200, 10], [200, 40], [10, 40]], "Net Wt 500 g", 0.9]
        words = json.dumps({"image": "a.png", "width": 300, "height": 200, "lines": [line]})
        (folder / "words_val.jsonl.gz").write_bytes(gzip.compress(words.encode()))
    return tmp_path


def test_the_table_has_a_row_for_every_part(data: Path) -> None:
    config = data / "tiny.yaml"
    config.write_text(
        "preset: nano\nsources: [{kind: generated, photos_count: 16}]\nminutes: 1\nepochs: 1\nhold_back: 0.0\n"
    )
    assert main([str(data), str(data / "out"), "--config", str(config)]) == 0
    rows = (data / "out" / "results.md").read_text().splitlines()
    assert rows[0] == "| without | amazon val | mix | hand val | mix |"
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {part.name or 'nothing'}" for part in PARTS]
    results = json.loads((data / "out" / "results.json").read_text())
    # One candidate: who may not stay empty has to give it.
    assert [r["f1"] for r in results if r["without"] == "abstention"] == [1.0, 1.0]


def test_a_wrong_folder_is_named_before_anything_is_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "tiny.yaml"
    config.write_text("preset: nano\nsources: [{kind: generated, photos_count: 16}]\nminutes: 1\nepochs: 1\n")
    assert main([str(tmp_path / "nowhere"), str(tmp_path / "out"), "--config", str(config)]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []
