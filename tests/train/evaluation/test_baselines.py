"""Baselines: rules, boosted trees and OCR engines."""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Record
from resformer.train.data.synthetic_layouts import generate
from resformer.train.evaluation.baselines.ocr_engines import BASELINE_READERS, _line
from resformer.train.evaluation.baselines.rules import Rules
from resformer.train.evaluation.baselines.trees import Trees

SCHEMA = Schema.load()
PREPROCESSOR = Preprocessor(SCHEMA, Tokenizer(SCHEMA), LabelPriors.count([]))


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
    candidates = find_candidates(lines, SCHEMA[entity].units)
    assert Rules(SCHEMA).choose(Page(lines, 800, 600), SCHEMA[entity], candidates) == answer


@pytest.fixture(scope="module")
def layouts() -> list[Record]:
    return generate(160, 3, SCHEMA)


@pytest.fixture(scope="module")
def trees(layouts: list[Record]) -> Trees:
    return Trees(layouts[:120], PREPROCESSOR)


def test_trees_learn_synthetic_layouts(layouts: list[Record], trees: Trees) -> None:
    right = shown = 0
    for record in layouts[120:]:
        sample = PREPROCESSOR.sample(record.page, [q.entity for q in record.questions])
        for i, question in enumerate(record.questions):
            if question.accepted and sample.candidates[i]:
                answer, score = trees.choose(sample, i)
                assert 0 <= score <= 1
                right += answer in map(str, question.accepted)
                shown += 1
    assert shown > 50
    assert right / shown > 0.8
    nothing = PREPROCESSOR.sample(Page([], 9, 9), [SCHEMA["height"]])
    assert trees.choose(nothing, 0) == ("", 0.0)


@pytest.mark.parametrize("name", [name for name in BASELINE_READERS if name != "Tesseract"])
def test_engines_find_a_line(name: str) -> None:
    image = Image.new("RGB", (480, 200), "white")
    ImageDraw.Draw(image).text((60, 40), "500 gram", "black", ImageFont.load_default(48))
    (found,) = BASELINE_READERS[name](1).read(np.asarray(image))
    assert found.text.replace(" ", "") == "500gram"
    assert found.box == pytest.approx((60, 45, 285, 95), abs=25)


def test_words_of_tesseract_are_joined_to_a_line() -> None:
    found: dict[str, list[Any]] = {
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
