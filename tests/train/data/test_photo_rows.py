import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from resformer.model.schema.schema import Schema
from resformer.train.data.photo_rows import read_photo_rows, read_row_labels
from tests.paths import DATA, labelled

SCHEMA = Schema.load()
CORNERS = [[0, 0], [9, 0], [9, 5], [0, 5]]


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_cache(path: Path, *names: str, text: str = "500 g") -> Path:
    rows = [{"image": name, "width": 20, "height": 10, "lines": [[CORNERS, text, 0.9]]} for name in names]
    return write_lines(path, rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two folders with a photo and an OCR cache each, and rows of both photos."""
    for folder, name in (("shop", "a.jpg"), ("hand", "b.jpg")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (20, 10)).save(tmp_path / folder / name)
        write_cache(tmp_path / f"{folder}.jsonl", name)
    write_lines(
        tmp_path / "rows.jsonl",
        [
            {"image": "shop/a.jpg", "row": {"item_weight": ["500 gram", "0.5 kilogram"]}, "unsure": ["depth"]},
            {"image": "hand/b.jpg", "row": {"width": ["2 inch", ""], "voltage": ["[0, 9] volt", "9 volt"]}},
        ],
    )
    return tmp_path


def test_a_photo_asks_every_quantity_but_unsure_ones(data: Path) -> None:
    b, a = read_photo_rows(data / "rows.jsonl", data, [data / "shop.jsonl", data / "hand.jsonl"], SCHEMA)
    assert (a.name, b.name) == ("shop/a.jpg", "hand/b.jpg")
    assert a.photo == data / "shop" / "a.jpg" and a.lines[0].text == "500 g"
    assert not a.assume_present
    names = [entity.name for entity in SCHEMA.quantities]
    assert [q.entity.name for q in a.questions] == [name for name in names if name != "depth"]
    assert [q.entity.name for q in b.questions] == names
    texts = {q.entity.name: q.accepted_texts for q in (*a.questions, *b.questions) if q.accepted}
    assert texts == {
        "item_weight": ("500 gram", "0.5 kilogram"),
        "width": ("2 inch", ""),
        "voltage": ("9 volt",),  # a range from zero is no quantity
    }
    empty = {q.entity.name for q in b.questions if q.empty_is_right}
    assert empty == {*names} - {"voltage"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": "a.jpg"}, r"line 1 is no row; it needs `image`, `row` and `unsure`"),
        ({"image": "a.jpg", "row": {"height": "5 inch"}}, r"`row` needs a list of answers for each entity"),
        ({"image": "a.jpg", "row": {"size": ["5 inch"]}}, r"'size' is no quantity of the schema; it has width, depth"),
        ({"image": "a.jpg", "row": {}, "unsure": ["gender"]}, r"'gender' is no quantity"),
        ({"image": "a.jpg", "row": {"height": ["5 gram"]}}, r"line 1: '5 gram' is no height"),
    ],
)
def test_broken_rows_are_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_row_labels(write_lines(tmp_path / "rows.jsonl", [row]), SCHEMA)


def test_a_photo_has_one_row(tmp_path: Path) -> None:
    row: dict[str, Any] = {"image": "a.jpg", "row": {}, "unsure": []}
    with pytest.raises(ValueError, match=r"line 2: a\.jpg has a row already"):
        read_row_labels(write_lines(tmp_path / "rows.jsonl", [row, row]), SCHEMA)
    with pytest.raises(ValueError, match=r"has no rows"):
        read_row_labels(write_lines(tmp_path / "rows.jsonl", []), SCHEMA)


def test_a_photo_needs_text_lines_from_one_cache(data: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks the text lines of 1 photos, shop/a\.jpg first"):
        read_photo_rows(data / "rows.jsonl", data, [data / "hand.jsonl"], SCHEMA)
    caches = [data / "hand.jsonl", write_cache(data / "both.jsonl", "a.jpg", "b.jpg")]
    with pytest.raises(ValueError, match=r"both\.jsonl has b\.jpg, as another OCR cache has"):
        read_photo_rows(data / "rows.jsonl", data, caches, SCHEMA)


def test_the_rows_of_the_data_folder() -> None:
    photos = {name: read_row_labels(labelled("rows") / f"rows_{name}.jsonl", SCHEMA) for name in ("train", "val")}
    assert {name: len(rows) for name, rows in photos.items()} == {"train": 1260, "val": 300}
    assert photos["train"].keys().isdisjoint(photos["val"])
    questions = [question for rows in photos.values() for asked in rows.values() for question in asked]
    assert len(questions) == 8 * 1560 - 185
    assert all((DATA / name).is_file() for name in photos["val"])
