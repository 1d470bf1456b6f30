"""Trees that learn whole rows, and the benchmark of whole rows on a small data folder."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.quantities.parser import parse_quantity
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, Record
from resformer.train.evaluation.baselines.row_trees import RowTrees
from resformer.train.evaluation.benchmark_file import read_benchmark, write_benchmark
from resformer.train.evaluation.benchmark_tables import render_section
from resformer.train.evaluation.row_benchmark import benchmark_rows
from resformer.train.evaluation.row_scores import score_photo_rows

SCHEMA = Schema.load()
PREPROCESSOR = Preprocessor(SCHEMA, Tokenizer(SCHEMA), LabelPriors.count([]))


def packs(count: int, seed: int) -> list[tuple[list[TextLine], dict[str, list[str]]]]:
    """Lines and rows of packs: one weight each, and a dose or a load that is not the weight."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        weight, dose, load = (int(v) for v in rng.integers(10, 900, 3))
        shown = rng.random() < 0.5
        texts = [f"Each tablet {dose} mg", f"Net weight {weight} g" if shown else f"Max load {load} kg"]
        row = {"item_weight": [f"{weight} gram"]} if shown else {"maximum_weight_recommendation": [f"{load} kilogram"]}
        lines = [
            TextLine(((10, y), (200, y), (200, y + 20), (10, y + 20)), text, 0.9)
            for y, text in zip((20.0, 80.0), texts, strict=True)
        ]
        made.append((lines, row))
    return made


def records(count: int, seed: int) -> list[Record]:
    found = []
    for i, (lines, row) in enumerate(packs(count, seed)):
        questions = []
        for entity in SCHEMA.quantities:
            parsed = [parse_quantity(text, entity.units) for text in row.get(entity.name, [])]
            questions.append(Question(entity, tuple(q for q in parsed if q)))
        found.append(Record(f"{seed}/{i}.png", None, 300, 200, tuple(lines), tuple(questions), assume_present=False))
    return found


def test_trees_learn_what_is_shown_and_what_is_not() -> None:
    trees = RowTrees([*records(150, 0), replace(records(1, 1)[0], name="blank.png", lines=())], PREPROCESSOR)
    assert 0 < trees.threshold < 1
    new = records(40, 2)
    score = score_photo_rows(new, [{name: text for name, (text, _) in trees.answer(r).items()} for r in new])
    assert score.as_dict()["all_right"] > 0.9
    one = replace(new[0], questions=new[0].questions[:1])
    assert trees.answer(one) == trees.answer(new[0])  # whatever is asked
    assert set(trees.answer(replace(new[0], lines=())).values()) == {("", 0.0)}


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Rows of 60 photos to learn from and of three to answer, whose products are labelled, and fashion photos."""
    for split, count in (("train", 60), ("val", 3)):
        rows, cache = [], []
        for i, (lines, row) in enumerate(packs(count, count)):
            photo = tmp_path / "amazon" / split / f"{i}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (300, 200), "white").save(photo)
            rows.append({"image": f"amazon/{split}/{i}.png", "row": row, "unsure": []})
            corners = [[list(map(list, line.corners)), line.text, line.score] for line in lines]
            cache.append({"image": f"{i}.png", "width": 300, "height": 200, "lines": corners})
        write_lines(tmp_path / "rows" / f"rows_{split}.jsonl", rows)
        write_lines(tmp_path / "amazon" / f"words_{split}.jsonl.gz", cache)
    for name in ("amazon/words_unlabelled", "hand/words_train", "hand/words_val"):
        write_lines(tmp_path / f"{name}.jsonl.gz", [])
    (tmp_path / "rows" / "products_val.csv").write_text(
        "image,category,articleType,colour,title\n"
        "amazon/val/0.png,Pets > Food,,White,Each tablet\n"
        "amazon/val/1.png,Apparel,Belts,,Load\n"
    )
    (tmp_path / "fashion" / "val").mkdir(parents=True)
    for name in ("1", "2", "3"):
        Image.new("RGB", (60, 80), "red").save(tmp_path / "fashion" / "val" / f"{name}.jpg")
    (tmp_path / "fashion" / "styles_val.csv").write_text("id,articleType\n1,Shirts\n2,Belts\n3,Caps\n")
    return tmp_path


def test_whole_rows_of_a_data_folder(data: Path) -> None:
    figures = benchmark_rows(data, ["builtin"], limit=2)
    trees, network = figures["quantities"]
    assert (trees["answers_by"], network["answers_by"]) == ("trees", "builtin")
    assert trees["photos"] == network["photos"] == 2
    assert trees["f1"] == 1.0
    assert network["f1"] == 0.0  # the photos are blank
    assert network["minus_trees"]["f1"] == -1.0
    assert [copy["mean"] for copy in network["changed_by_copies"].values()] == [0.0] * 3
    (product,) = figures["products"]
    assert product["fashion"]["quantity"] == {"mean": 0.0, "interval": [0.0, 0.0], "photos": 2}
    assert product["category_from"]["words"]["level 1"]["photos"] == 2
    assert product["category_from"]["picture"]["level 2"]["photos"] == 1
    assert set(product["calibration_error"]) == {"quantity", "choice", "path", "text"}
    assert figures["largest_lines"]["photos"] == 2

    section = render_section(read_benchmark(write_benchmark(data, "rows", figures, command="resformer benchmark rows")))
    assert "| trees | 1.000 (1.000 to 1.000) |  | 1.000 | 1.000 |" in section
    assert "| `builtin` | 0.000 (0.000 to 0.000) | -1.000 (-1.000 to -1.000) |" in section
    assert "| largest text lines, 12 words |" in section
