"""Scores of whole rows, and of what the product is."""

import numpy as np
import pytest

from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.quantities.parser import parse_quantity
from resformer.model.schema.schema import Schema
from resformer.train.data.product_labels import ProductLabels
from resformer.train.data.quantity_records import Question, Record
from resformer.train.evaluation.baselines.largest_lines import largest_lines
from resformer.train.evaluation.product_scores import (
    PRODUCT_ENTITIES,
    answered,
    mean_with_interval,
    product_figures,
    token_f1,
)
from resformer.train.evaluation.quantity_metrics import Counts
from resformer.train.evaluation.row_scores import difference, score_photo_rows, strict_counts

SCHEMA = Schema.load()
TEN = "10 gram"


def question(name: str, *texts: str) -> Question:
    accepted = [parse_quantity(text, SCHEMA[name].units) for text in texts if text]
    return Question(SCHEMA[name], tuple(q for q in accepted if q), empty_accepted="" in texts)


@pytest.mark.parametrize(
    ("accepted", "answer", "counts"),
    [
        ((TEN, "0.01 kilogram"), "0.01 kilogram", Counts(true_positive=1)),
        ((TEN,), "5 gram", Counts(false_positive=1, false_negative=1)),
        ((TEN,), "", Counts(false_negative=1)),
        ((), "5 gram", Counts(false_positive=1)),
        ((), "", Counts(true_negative=1)),
        ((TEN, ""), "", Counts(true_negative=1)),
        ((TEN, ""), TEN, Counts(true_positive=1)),
        ((TEN, ""), "5 gram", Counts(false_positive=1)),
    ],
)
def test_a_wrong_answer_counts_twice_where_a_value_is_shown(
    accepted: tuple[str, ...], answer: str, counts: Counts
) -> None:
    assert strict_counts(question("item_weight", *accepted), answer) == counts


def record(name: str, *questions: Question) -> Record:
    return Record(name, None, 100, 100, (), questions)


RECORDS = [
    record("a", question("item_weight", TEN), question("height")),
    record("b", question("item_weight"), question("height", "5 inch", "")),
    record("c", question("height", "5 inch")),  # the weight is unsure
]


def test_rows_are_scored_by_photo_and_entity() -> None:
    answers = [
        {"item_weight": TEN, "height": "9 inch"},
        {"item_weight": "", "height": "4 inch"},
        {"item_weight": "3 gram", "height": "5 inch"},
    ]
    figures = score_photo_rows(RECORDS, answers).as_dict()
    assert (figures["precision"], figures["recall"]) == (0.5, 1.0)
    assert figures["f1"] == pytest.approx(2 / 3)
    assert figures["all_right"] == pytest.approx(1 / 3)
    assert figures["false_answer"] == pytest.approx(1 / 3)  # the height of the first photo alone
    assert figures["entities"]["item_weight"]["f1"] == 1.0
    assert figures["entities"]["height"] == {"f1": 0.5, "precision": pytest.approx(1 / 3), "recall": 1.0, "answers": 3}
    low, high = figures["f1_interval"]
    assert low < figures["f1"] < high


def test_systems_are_compared_on_the_same_photos() -> None:
    right = [{"item_weight": TEN, "height": ""}, {"item_weight": "", "height": ""}, {"height": "5 inch"}]
    wrong = [{"item_weight": "", "height": ""}, *right[1:]]
    ours, theirs = (score_photo_rows(RECORDS * 20, answers * 20) for answers in (right, wrong))
    less = difference(ours, theirs)
    assert less["f1"] == pytest.approx(1 - 2 / 3)
    assert 0 < less["f1_interval"][0] < less["f1"] < less["f1_interval"][1]
    assert difference(ours, ours) == {"f1": 0.0, "f1_interval": [0.0, 0.0]}


@pytest.mark.parametrize(
    ("truth", "text", "f1"),
    [
        ("Acme dog food 5kg", "ACME Dog-food, 5kg!", 1.0),
        ("dog dog food", "dog cat", 2 / 5),
        ("dog food", "", 0.0),
        ("dog food", "cat", 0.0),
    ],
)
def test_token_f1(truth: str, text: str, f1: float) -> None:
    assert token_f1(truth, text) == pytest.approx(f1)


def prediction(text: str, levels: list[str] | None = None) -> Prediction:
    return Prediction(text, levels, None, None, 0.5, None)


def test_products_are_scored_by_what_the_labels_say() -> None:
    labels = [
        ProductLabels("a", ("Pets", "Food"), "", "Red", "Acme dog food"),
        ProductLabels("b", ("Pets",), "", "", ""),
        ProductLabels("c", (), "Belts", "Blue", "Acme belt"),
    ]
    empty = dict.fromkeys(PRODUCT_ENTITIES, prediction(""))
    predictions = [
        {**empty, "category": prediction("Pets > Beds", ["Pets", "Beds"]), "gender": prediction("Men")},
        {**empty, "category": prediction("Pets", ["Pets"])},
        {**empty, "baseColour": prediction("Blue"), "title": prediction("")},
    ]
    title = {"title": prediction("belt")}
    guesses = [{"category": p["category"], "title": p["title"]} for p in predictions[:2]]
    guesses.append({"category": prediction(""), **title})
    figures = product_figures(labels, predictions, guesses)
    assert {name: score["mean"] for name, score in figures["empty"].items()} == {
        **{"articleType": 1.0, "gender": 0.5, "season": 1.0, "usage": 1.0, "description": 1.0}
    }
    assert {name: (score["mean"], score["photos"]) for name, score in figures["category"].items()} == {
        **{"level 1": (1.0, 2), "level 2": (0.0, 1)}
    }
    assert (figures["baseColour"]["mean"], figures["baseColour"]["photos"]) == (0.5, 2)
    assert figures["title"]["mean"] == pytest.approx((0 + 2 / 3) / 2)
    assert {name: score["mean"] for name, score in figures["answered"].items()} == {"category": 1.0, "title": 0.0}
    assert {name: score["mean"] for name, score in figures["right"].items()} == {"category": 0.5, "title": None}
    assert answered(predictions, ("gender", "baseColour")) == [1.0, 0.0, 1.0]
    assert mean_with_interval([]) == {"mean": None, "interval": None, "photos": 0}


def test_the_largest_lines_are_a_title() -> None:
    lines = [
        TextLine(((0, 0), (90, 0), (90, height), (0, height)), text, 1.0)
        for text, height in (("small print", 5), ("Golden", 30), ("Oats of the highland " * 3, 20))
    ]
    assert largest_lines(Page(lines, 100, 100)) == "Golden " + ("Oats of the highland " * 3)[:-1].rsplit(" ", 1)[0]
    assert largest_lines(Page([], 100, 100)) == ""


def test_intervals_do_not_depend_on_the_run() -> None:
    values = np.random.default_rng(1).random(50).tolist()
    assert mean_with_interval(values) == mean_with_interval(values)
