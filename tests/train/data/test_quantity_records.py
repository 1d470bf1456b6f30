import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import (
    read_challenge,
    read_counted_labels,
    read_hand,
    read_ocr_cache,
    with_ocr,
)

SCHEMA = Schema.load()
CORNERS = [[0, 0], [9, 0], [9, 5], [0, 5]]


@pytest.fixture
def ocr(tmp_path: Path) -> Path:
    path = tmp_path / "ocr.jsonl.gz"
    rows: list[dict[str, Any]] = [
        {"image": "a.jpg", "width": 20, "height": 10, "lines": [[CORNERS, "500 g", 0.9]]},
        {"image": "b.jpg", "width": 30, "height": 10, "lines": []},
    ]
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    for row in rows:
        Image.new("RGB", (row["width"], row["height"])).save(tmp_path / row["image"])
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_challenge_rows_become_questions(tmp_path: Path, ocr: Path) -> None:
    labels = write(
        tmp_path / "labels.csv",
        "image_link,group_id,entity_name,entity_value\n"
        "https://x.example/a.jpg,1,item_weight,500.0 gram\n"
        'https://x.example/a.jpg,1,voltage,"[100.0, 240.0] volt"\n'
        "https://x.example/b.jpg,1,wattage,1 horsepower\n",
    )
    lines: list[str] = []
    records = read_challenge(labels, tmp_path, ocr, SCHEMA, in_priors=True, log=lines.append)
    assert lines == [f"{labels}: 1 labels are no quantity of their entity and left out, '1 horsepower' in line 4 first"]
    assert [r.name for r in records] == ["a.jpg"]  # horsepower is no unit of a wattage
    asked = {q.entity.name: [str(a) for a in q.accepted] for q in records[0].questions}
    assert asked == {"item_weight": ["500 gram"], "voltage": ["[100, 240] volt"]}
    assert all(q.in_priors for q in records[0].questions)
    assert records[0].photo == tmp_path / "a.jpg"
    assert records[0].lines[0].text == "500 g"
    assert records[0].group_id == "1"
    assert records[0].drawing is not None
    counted = [(name, str(q)) for name, _, q in read_counted_labels(labels, SCHEMA)]
    assert counted == [("item_weight", "500 gram"), ("voltage", "[100, 240] volt")]


def test_labels_made_by_eye(tmp_path: Path, ocr: Path) -> None:
    labels = write(
        tmp_path / "hand.csv",
        "image,entity_name,accept,sure\na.jpg,height,2.63 inch|6.68 centimetre,1\nb.jpg,width,,1\n",
    )
    by_name = {r.name: r for r in read_hand(labels, tmp_path, ocr, SCHEMA)}
    assert [str(q) for q in by_name["a.jpg"].questions[0].accepted] == ["2.63 inch", "6.68 centimetre"]
    assert by_name["b.jpg"].questions[0].accepted == ()
    broken = write(tmp_path / "broken.csv", "image,entity_name,accept\na.jpg,height,5 gram\n")
    with pytest.raises(ValueError, match="5 gram"):
        read_hand(broken, tmp_path, ocr, SCHEMA)


def test_another_ocr_cache_leaves_the_questions(tmp_path: Path, ocr: Path) -> None:
    labels = write(tmp_path / "labels.csv", "image,entity_name,entity_value\na.jpg,item_weight,500 gram\n")
    first = read_challenge(labels, tmp_path, ocr, SCHEMA)
    other = {"image": "a.jpg", "width": 20, "height": 10, "lines": [[CORNERS, "5O0 9", 0.6]]}
    more = write(tmp_path / "more.jsonl", json.dumps(other))
    empty = write(tmp_path / "none.jsonl", "")
    again, _ = with_ocr(first, [more, empty, more])
    assert [line.text for line in again.lines] == ["5O0 9"]
    assert (again.questions, again.drawing) == (first[0].questions, first[0].drawing)
    with pytest.raises(ValueError, match=r"lacks the text lines of 1 photos, a\.jpg first"):
        with_ocr(first, [empty])


def test_photos_without_text_lines_are_named(tmp_path: Path, ocr: Path) -> None:
    (tmp_path / "c.jpg").touch()
    labels = write(tmp_path / "labels.csv", "image,entity_name,entity_value\nc.jpg,height,5 inch\n")
    with pytest.raises(ValueError, match=r"lacks the text lines of 1 photos, c\.jpg"):
        read_challenge(labels, tmp_path, ocr, SCHEMA)
    labels = write(tmp_path / "labels.csv", "image,entity_name,entity_value\na.jpg,height,5 inch\n")
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(ValueError, match=r"lacks 1 of the 1 photos of .*labels\.csv: no a\.jpg \(line 2\)"):
        read_challenge(labels, tmp_path, ocr, SCHEMA)


def test_an_ocr_cache_may_be_plain_json_lines(tmp_path: Path, ocr: Path) -> None:
    plain = write(tmp_path / "ocr.jsonl", gzip.decompress(ocr.read_bytes()).decode())
    assert read_ocr_cache(plain) == read_ocr_cache(ocr)


def test_two_photos_never_get_one_text(tmp_path: Path, ocr: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (20, 10)).save(tmp_path / folder / "a.jpg")
    labels = "image,entity_name,accept\nx/a.jpg,height,\ny/a.jpg,height,\n"
    with pytest.raises(ValueError, match=r"x/a\.jpg and y/a\.jpg have one file name"):
        read_hand(write(tmp_path / "hand.csv", labels), tmp_path, ocr, SCHEMA)
    line = json.dumps({"image": "a.jpg", "width": 20, "height": 10, "lines": []}) + "\n"
    with pytest.raises(ValueError, match=r"twice\.jsonl, line 2: a\.jpg is there before"):
        read_ocr_cache(write(tmp_path / "twice.jsonl", line * 2))
