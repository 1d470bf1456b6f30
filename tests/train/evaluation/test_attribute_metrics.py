"""Metrics of labels, paths and texts."""

import math

import pytest

from resformer.train.evaluation.attribute_metrics import (
    cider,
    fallback_right,
    hierarchical_win,
    score_labels,
    score_texts,
)


def test_a_hierarchical_win_halves_at_each_level() -> None:
    truth = ("A", "x", "1")
    assert hierarchical_win(truth, ("A", "x", "1")) == 1
    assert hierarchical_win(truth, ("A", "x", "2")) == hierarchical_win(truth, ("A", "x")) == 0.75
    assert hierarchical_win(truth, ("A", "y", "1")) == 0.5
    assert hierarchical_win(truth, ("B", "x", "1")) == 0
    assert hierarchical_win(("A",), ("A",)) == 1 and hierarchical_win(("A",), ("B",)) == 0
    assert hierarchical_win(("A", "x"), ("A", "x", "more")) == 1


def test_two_guesses_with_one_parent_fall_back_to_it() -> None:
    truth = ("A", "x", "1")
    assert fallback_right(truth, truth, ("B",))
    assert fallback_right(truth, ("A", "x", "2"), ("A", "x", "3"))
    assert not fallback_right(truth, ("A", "x", "2"), ("A", "y", "3"))
    assert not fallback_right(truth, ("A", "y", "2"), ("A", "y", "3"))
    assert not fallback_right(("A",), ("B",), ("C",))


def test_label_scores() -> None:
    score = score_labels(["a", "a", "a", "b"], ["a", "a", "c", "a"], [["a"], ["a"], ["c", "a"], ["a", "c"]])
    assert (score.rows, score.accuracy, score.top_k) == (4, 0.5, 0.75)
    assert score.per_label["a"] == (3, pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3))
    count, recall, precision, f1 = score.per_label["b"]
    assert (count, recall, f1) == (1, 0, 0) and math.isnan(precision)
    assert score.macro_f1 == pytest.approx(1 / 3)


def test_text_scores() -> None:
    truths = ["a red shirt with short sleeves", "a blue belt made of soft leather", "round black watch with a date"]
    same = score_texts(truths, truths)
    assert same["SacreBLEU"] == pytest.approx(100) and same["CIDEr"] == pytest.approx(10, abs=0.1)
    assert score_texts(truths, truths[1:] + truths[:1])["CIDEr"] < 0.5
    assert cider(truths, [t.upper() + "." for t in truths]) == pytest.approx(cider(truths, truths))
