"""The comparison's parts, on two records and systems that know the answers."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resformer.model.images.line_segments import find_line_drawing
from resformer.model.inference.checkpoint import WEIGHTS_DIR
from resformer.model.ocr.text_line import TextLine
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, Record
from resformer.train.evaluation.plots import f1_against_time, precision_coverage
from resformer.train.evaluation.quantity_scores import Row
from resformer.train.evaluation.system_comparison import Table, hidden_parts, reachable, read_photos
from resformer.train.evaluation.validation_sets import Words, words_of

WEIGHT = Schema.load()["item_weight"]


def record(name: str, text: str, group: str = "") -> Record:
    line = TextLine(((10, 10), (200, 10), (200, 40), (10, 40)), text, 0.9)
    return Record(name, None, 300, 200, (line,), (Question(WEIGHT, ()),), group_id=group)


RECORDS = [record("a.jpg", "500 g"), record("b.jpg", "12 oz", group="7")]
ROWS = [Row("a.jpg", "item_weight", ("500 gram",)), Row("b.jpg", "item_weight", ("1 pound",))]


def test_reachable_is_what_a_perfect_choice_gets() -> None:
    assert reachable(ROWS, RECORDS) == 0.5
    assert reachable([*ROWS, Row("a.jpg", "item_weight", ())], RECORDS) == 0.5  # not shown: nothing to reach


def test_table_scores_and_compares() -> None:
    table = Table(Schema.load())
    words = Words(RECORDS, reading_s=0.5, drawing_s=0.02, memory=700)
    table.add("val", "good", "ppocr", ROWS, words, lambda r: [("500 gram" if r.name == "a.jpg" else "1 pound", 0.9)])
    table.add("val", "poor", "ppocr", ROWS, Words(RECORDS), lambda r: [("500 gram", 0.5)])
    good, poor = table.results
    assert (good.f1, good.reachable, good.memory_mib) == (1.0, 0.5, 700)
    assert good.choosing_s > 0.02
    assert poor.f1 == pytest.approx(2 / 3)
    assert table.pooled("poor", "ppocr", ["val"])[1] == ("b.jpg", "500 gram", ("1 pound",))
    assert "| val | good | ppocr | 1.000 |" in table.markdown()
    assert table.entities_markdown().splitlines()[0] == "| photos | system | words of | item_weight |"
    assert "| val | poor | ppocr | 0.667 |" in table.entities_markdown()


def test_lengths_are_counted_together() -> None:
    table = Table(Schema.load())
    width, depth = (Schema.load()[name] for name in ("width", "depth"))
    asked = Record("a.jpg", None, 300, 200, (), (Question(width, ()), Question(depth, ()), Question(WEIGHT, ())))
    rows = [Row("a.jpg", q.entity.name, ("5 metre",)) for q in asked.questions]
    table.add("val", "ours", "builtin", rows, Words([asked]), lambda r: [("5 metre", 1.0), ("", 1.0), ("", 1.0)])
    (found,) = table.results
    assert found.entities["all lengths"] == pytest.approx(2 / 3)
    assert table.entities_markdown().splitlines()[0].endswith("| width | all lengths |")
    assert table.entities_markdown().splitlines()[2].endswith("| 1.000 | 0.667 |")


def test_hidden_parts_are_those_that_are_there() -> None:
    drawing = find_line_drawing(np.full((20, 30, 3), 200, dtype=np.uint8))
    parts = hidden_parts([replace(r, drawing=drawing) for r in RECORDS])
    assert set(parts) == {"strokes", "group"}
    assert all(r.drawing is None and r.group_id == s.group_id for r, s in zip(parts["strokes"], RECORDS, strict=True))
    assert all(r.drawing is drawing and not r.group_id for r in parts["group"])
    assert set(hidden_parts(RECORDS[:1])) == {"strokes"}


def test_photos_are_read_again_when_the_reader_changed(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "photos" / "a.png")
    words = tmp_path / "words.jsonl"

    def read() -> str:
        read_photos(tmp_path / "photos", words, "builtin")
        kept = words.read_text()
        words.write_text("kept")
        return kept

    assert '"image": "a.png"' in read()
    assert read() == "kept"
    changed = max(path.stat().st_mtime for path in WEIGHTS_DIR.parent.rglob("*.py"))
    os.utime(words.with_suffix(".cost.json"), (changed - 1, changed - 1))
    assert '"image": "a.png"' in read()


def test_stale_words_are_named(tmp_path: Path) -> None:
    (tmp_path / "words.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"lacks the words of 2 photos, a\.jpg first"):
        words_of(ROWS, tmp_path / "words.jsonl", tmp_path, Schema.load())


def test_curve_is_a_picture(tmp_path: Path) -> None:
    precision_coverage(tmp_path / "curve.png", [0.9, 0.8, 0.3], [True, True, False])
    assert Image.open(tmp_path / "curve.png").size == (720, 480)


def test_scores_are_drawn_against_times(tmp_path: Path) -> None:
    table = Table(Schema.load())
    words = Words(RECORDS, reading_s=0.5, drawing_s=0.02, memory=700)
    for name in ("one", "two"):
        for size, seconds in ((384, 0.3), (640, 0.6)):
            sized = replace(words, reading_s=seconds)
            table.add(name, "Resformer", f"ppocr, {size} pixels", ROWS, sized, lambda r: [("500 gram", 0.9)])
        table.add(name, "Resformer", "ppocr", ROWS, words, lambda r: [("500 gram", 0.9)])
        table.add(name, "rules", "Tesseract", ROWS, words, lambda r: [("", 1.0)])
    f1_against_time(tmp_path / "times.png", table.timed())
    with Image.open(tmp_path / "times.png") as drawn:
        assert drawn.width > 2 * 600  # a picture for each set
        assert len(drawn.convert("RGB").getcolors(1 << 24) or []) > 20
