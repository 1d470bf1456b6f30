"""The systems that the network is compared with do their best."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.model.inference.quantity_inputs import QuantityPreprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.detector import TextDetector
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, Record, read_words
from resformer.train.data.synthetic_layouts import generate
from resformer.train.evaluation.baselines.ocr_engines import BASELINE_READERS, _line
from resformer.train.evaluation.baselines.rules import Rules
from resformer.train.evaluation.baselines.trees import Trees
from resformer.train.quantities.pseudo_labels import label
from resformer.train.tools import ocr_cache as read

SCHEMA = Schema.load()
PREPROCESSOR = QuantityPreprocessor(SCHEMA, Tokenizer(SCHEMA), LabelPriors.count([]))


def line(text: str, x: float, y: float, text_height: float = 20) -> TextLine:
    width = text_height * len(text) / 2
    return TextLine(((x, y), (x + width, y), (x + width, y + text_height), (x, y + text_height)), text, 0.9)


@pytest.mark.parametrize(
    ("lines", "entity", "answer"),
    [
        ([line("Net Wt 500 g", 10, 10), line("Serving 30 g", 10, 200, 40)], "item_weight", "500 gram"),
        ([line("5 kg", 10, 10), line("Max load 100 kg", 10, 200)], "item_weight", "5 kilogram"),
        ([line("5 kg", 10, 10, 40), line("Max load 100 kg", 10, 200)], "maximum_weight_recommendation", "100 kilogram"),
        ([line("30 in", 10, 10), line("16 in", 10, 200, 40)], "height", "16 inch"),
        ([line("H 30 in", 10, 10), line("W 16 in", 10, 200, 40)], "height", "30 inch"),
        ([line("no number", 10, 10)], "height", ""),
    ],
)
def test_rules(lines: list[TextLine], entity: str, answer: str) -> None:
    asked = SCHEMA[entity]
    candidates = find_candidates(lines, asked.units)
    assert Rules(SCHEMA).choose(Page(lines, 800, 600), asked, candidates) == answer


@pytest.fixture(scope="module")
def drawn() -> list[Record]:
    return generate(160, 3, SCHEMA)


@pytest.fixture(scope="module")
def trees(drawn: list[Record]) -> Trees:
    return Trees(drawn[:120], PREPROCESSOR)


def test_trees_learn_drawn_layouts(drawn: list[Record], trees: Trees) -> None:
    right = shown = 0
    for record in drawn[120:]:
        example = PREPROCESSOR.example(record.page, [q.entity for q in record.questions])
        for i, question in enumerate(record.questions):
            if question.accepted and example.candidates[i]:
                answer, score = trees.choose(example, i)
                assert 0 <= score <= 1
                right += answer in map(str, question.accepted)
                shown += 1
    assert shown > 50
    assert right / shown > 0.8
    nothing = PREPROCESSOR.example(Page([], 9, 9), [SCHEMA["height"]])
    assert trees.choose(nothing, 0) == ("", 0.0)


def test_the_teacher_answers_what_it_is_sure_of(drawn: list[Record]) -> None:
    asked = [
        Record(r.name, None, r.width, r.height, r.lines, tuple(Question(q.entity, ()) for q in r.questions))
        for r in drawn[120:]
    ]
    truth = {(r.name, q.entity.name): q.accepted for r in drawn[120:] for q in r.questions}
    taught = label(asked, drawn[:120], PREPROCESSOR)
    questions = [(r, q) for r in taught for q in r.questions]
    assert all(
        (len(q.accepted) == 1 and 0.6 <= q.trust <= 1) or (not q.accepted and q.trust == 0) for _, q in questions
    )
    assert all(any(q.trust for q in r.questions) for r in taught)
    answered = [(r, q) for r, q in questions if q.trust and truth[r.name, q.entity.name]]
    assert len(answered) > 30
    assert np.mean([q.accepted[0] in truth[r.name, q.entity.name] for r, q in answered]) > 0.9


def test_words_of_a_folder_are_read_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    image = Image.new("RGB", (480, 200), "white")
    ImageDraw.Draw(image).text((60, 40), "500 gram", "black", ImageFont.load_default(48))
    image.save(photos / "a.png")
    (photos / "broken.jpg").write_bytes(b"no photo")
    for name in ("words.jsonl", "words.jsonl.gz"):
        assert read.main([str(photos), str(tmp_path / name), "--threads", "1"]) == 0
        record = read_words(tmp_path / name)["a.png"]
        assert [entry.text.replace(" ", "") for entry in record.lines] == ["500gram"]
        assert (record.width, record.height) == (480, 200)
    printed = capsys.readouterr()
    assert "broken.jpg" in printed.err
    summary = json.loads(printed.out.splitlines()[-1])
    assert summary["photos"] == 1
    assert 0 < summary["mean_seconds"] == summary["median_seconds"]
    assert 50 < summary["peak_mib"] < 20_000
    assert json.loads((tmp_path / "words.jsonl").read_text())["seconds"] > 0


def test_readers_that_look_do_so_at_any_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (960, 400), "white").save(tmp_path / "photos" / "a.png")
    shapes: list[tuple[int, ...]] = []
    look = TextDetector.__call__
    monkeypatch.setattr(TextDetector, "__call__", lambda self, photo: shapes.append(photo.shape) or look(self, photo))

    def widths(reader: str, *more: str) -> set[int]:
        shapes.clear()
        read.main([str(tmp_path / "photos"), str(tmp_path / "words"), "--threads", "1", "--reader", reader, *more])
        return {shape[1] for shape in shapes}

    assert widths("builtin") == {512}
    assert widths("crops") == {640}
    assert widths("none", "--longest", "320") == {320}
    for arguments, said in (
        (("ppocr", "--longest", "320"), "for the readers crops and builtin with weights that read, not for ppocr"),
        (("none", "--longest", "0"), "--longest is 0, must be at least 1 pixel"),
    ):
        with pytest.raises(SystemExit):
            widths(*arguments)
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in BASELINE_READERS if name != "Tesseract"])
def test_packaged_readers_read(name: str) -> None:
    image = Image.new("RGB", (480, 200), "white")
    ImageDraw.Draw(image).text((60, 40), "500 gram", "black", ImageFont.load_default(48))
    (found,) = BASELINE_READERS[name](1).read(np.asarray(image))
    assert found.text.replace(" ", "") == "500gram"
    assert found.box == pytest.approx((60, 45, 285, 95), abs=25)


def test_words_of_tesseract_become_a_line() -> None:
    found = {
        "text": ["", "500", "gram"],
        "left": [0, 10, 60],
        "top": [0, 20, 22],
        "width": [100, 40, 50],
        "height": [50, 12, 14],
        "conf": [-1, 91.0, 80.0],
    }
    line = _line(found, [1, 2])
    assert (line.text, line.score) == ("500 gram", 0.8)
    assert line.box == (10, 20, 110, 36)
