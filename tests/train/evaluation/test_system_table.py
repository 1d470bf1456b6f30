"""The comparison of systems, on two records and systems that know the answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resformer.model.images.line_segments import find_line_drawing
from resformer.model.ocr.text_line import TextLine
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, Record
from resformer.train.evaluation.labelled_rows import LabelledRow
from resformer.train.evaluation.oracle_recall import oracle_recall
from resformer.train.evaluation.system_table import SystemTable
from resformer.train.evaluation.systems import without_optional_inputs
from resformer.train.evaluation.validation_sets import ReadPhotos, read_photos_of

WEIGHT = Schema.load()["item_weight"]


def record(name: str, text: str, group: str = "") -> Record:
    line = TextLine(((10, 10), (200, 10), (200, 40), (10, 40)), text, 0.9)
    return Record(name, None, 300, 200, (line,), (Question(WEIGHT, ()),), group_id=group)


RECORDS = [record("a.jpg", "500 g"), record("b.jpg", "12 oz", group="7")]
ROWS = [LabelledRow("a.jpg", "item_weight", ("500 gram",)), LabelledRow("b.jpg", "item_weight", ("1 pound",))]


def test_oracle_recall_is_that_of_a_perfect_choice() -> None:
    assert oracle_recall(ROWS, RECORDS) == 0.5
    assert oracle_recall([*ROWS, LabelledRow("a.jpg", "item_weight", ())], RECORDS) == 0.5


def test_systems_are_scored_and_timed() -> None:
    table = SystemTable(Schema.load())
    read = ReadPhotos(RECORDS, reading_s=0.5, drawing_s=0.02, memory_mib=700)
    table.add("val", "good", "ppocr", ROWS, read, lambda r: [("500 gram" if r.name == "a.jpg" else "1 pound", 0.9)])
    table.add("val", "poor", "ppocr", ROWS, ReadPhotos(RECORDS), lambda r: [("500 gram", 0.5)])
    good, poor = table.scores
    assert (good.f1, good.oracle_recall, good.memory_mib) == (1.0, 0.5, 700)
    assert good.choosing_s > 0.02
    assert poor.f1 == pytest.approx(2 / 3)
    assert table.pooled("poor", "ppocr", ["val"])[1] == ("b.jpg", "500 gram", ("1 pound",))
    (timed,) = table.timed_scores()  # the other reader was not timed
    assert timed.system == "good" and timed.milliseconds > 520


def test_lengths_are_also_scored_together() -> None:
    schema = Schema.load()
    table = SystemTable(schema)
    questions = tuple(Question(schema[name], ()) for name in ("width", "depth", "item_weight"))
    rows = [LabelledRow("a.jpg", question.entity.name, ("5 metre",)) for question in questions]
    photos = ReadPhotos([Record("a.jpg", None, 300, 200, (), questions)])
    table.add("val", "ours", "builtin", rows, photos, lambda r: [("5 metre", 1.0), ("", 1.0), ("", 1.0)])
    assert table.scores[0].entities["width"] == 1
    assert table.scores[0].entities["all lengths"] == pytest.approx(2 / 3)


def test_only_inputs_that_are_there_are_left_out() -> None:
    drawing = find_line_drawing(np.full((20, 30, 3), 200, dtype=np.uint8))
    reduced = without_optional_inputs([replace(r, drawing=drawing, photo=Path(r.name)) for r in RECORDS])
    assert set(reduced) == {"line drawing", "picture", "group"}
    assert all(r.photo is None and r.drawing is drawing for r in reduced["picture"])
    assert [(r.drawing, r.group_id) for r in reduced["line drawing"]] == [(None, r.group_id) for r in RECORDS]
    assert all(r.drawing is drawing and not r.group_id for r in reduced["group"])
    assert set(without_optional_inputs(RECORDS[:1])) == {"line drawing"}


def test_an_incomplete_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ocr.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"lacks 2 photos, a\.jpg first"):
        read_photos_of(ROWS, tmp_path / "ocr.jsonl", tmp_path, Schema.load())
