"""What the shipped weights answer about drawn labels and titles; BENCHMARKS.md has the count of each kind."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from resformer.model.predictor import Predictor
from resformer.train.evaluation.benchmark_file import read_benchmark
from resformer.train.evaluation.label_benchmark import TITLE, wrong_answers
from resformer.train.evaluation.label_cases import LabelCase, draw_case, fonts_are_missing, load_cases

ROOT = Path(__file__).parents[1]
CASES = load_cases()
PUBLISHED: list[dict[str, Any]] = read_benchmark(ROOT / "docs/benchmarks/labels.json").figures["kinds"]
# Rounding differs between processors: so many cases of a kind may be answered otherwise than where they were measured.
TOLERANCE = 1
# Alphabets that a reader does not know.
UNREADABLE = ("scripts-builtin", "Cyrillic print-ppocr")

pytestmark = pytest.mark.skipif(bool(fonts_are_missing()), reason=fonts_are_missing() or "all fonts are there")


@cache
def predictor() -> Predictor:
    return Predictor.load(threads=1)


def name(row: dict[str, Any]) -> str:
    return f"{row['kind']}-{row['reader']}"


@pytest.mark.parametrize("row", PUBLISHED, ids=name)
def test_labels_are_answered_as_published(row: dict[str, Any]) -> None:
    cases = [case for case in CASES[row["kind"]] if bool(case.title) == (row["reader"] == TITLE)]
    wrong = {case.text: found for case in cases if (found := wrong_answers(predictor(), case, row["reader"]))}
    assert len(cases) == row["tried"]
    new = wrong.keys() - row["wrong"].keys()
    assert len(new) <= TOLERANCE, {text: wrong[text] for text in new}


def test_most_labels_of_every_kind_are_answered_right() -> None:
    for row in PUBLISHED:
        if name(row) not in UNREADABLE and row["tried"] >= 5:
            assert len(row["wrong"]) <= max(1, 0.15 * row["tried"]), name(row)


def test_every_kind_has_neighbours() -> None:
    for kind, cases in CASES.items():
        assert len(cases) >= 5, kind
        assert len({case.text for case in cases}) == len(cases), kind


def test_a_wrong_answer_is_found() -> None:
    case = LabelCase(print=("Rolled oats", "NET WT 500 g"), right={"item_weight": "400 gram"})
    assert draw_case(case) == draw_case(case.model_copy(update={"right": {"item_weight": "500 gram"}}))
    assert wrong_answers(predictor(), case, "builtin") == {"item_weight": "500 gram"}
