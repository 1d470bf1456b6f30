from pathlib import Path

import pytest

from resformer.model.schema.schema import Schema
from resformer.train.evaluation.quantity_metrics import (
    MIX,
    Counts,
    calibration_error,
    f1_interval,
    precision_at,
    score,
    worse_share,
)
from resformer.train.evaluation.quantity_scores import read_rows


def test_outcomes_are_the_challenge_s() -> None:
    counts = Counts()
    counts.add("5 gram", ("5 gram", "0.18 ounce"))  # right
    counts.add("0.18 ounce", ("5 gram", "0.18 ounce"))  # right as well
    counts.add("6 gram", ("5 gram",))  # wrong: a false positive only
    counts.add("6 gram", ())  # nothing is shown
    counts.add("", ("5 gram",))
    counts.add("", ())
    assert (counts.true_positive, counts.false_positive) == (2, 2)
    assert (counts.false_negative, counts.true_negative) == (1, 1)
    assert counts.precision == pytest.approx(2 / 4)
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.f1 == pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))


def test_no_answers_score_zero() -> None:
    assert Counts().f1 == 0.0


def test_mix_weighs_entities_by_the_challenge_s_shares() -> None:
    rows = [("height", "5 inch", ("5 inch",)), ("voltage", "", ("5 volt",)), ("voltage", "5 volt", ("5 volt",))]
    result = score(rows)
    voltage_f1 = 2 * 0.5 / 1.5
    expected = (MIX["height"] * 1.0 + MIX["voltage"] * voltage_f1) / (MIX["height"] + MIX["voltage"])
    assert result.mix == pytest.approx(expected)
    assert result.micro.rows == 3
    assert "voltage" in result.table()


def test_shares_are_shares() -> None:
    assert sum(MIX.values()) == pytest.approx(1.0)


def rows(right: int, wrong: int, per_photo: int = 1) -> list[tuple[str, str, tuple[str, ...]]]:
    predictions = ["1 gram"] * right + ["2 gram"] * wrong
    return [(f"{i // per_photo}.jpg", prediction, ("1 gram",)) for i, prediction in enumerate(predictions)]


def test_intervals_hold_the_score_and_narrow_with_photos() -> None:
    low, high = f1_interval(rows(80, 20))
    assert low < 0.889 < high < 1
    narrower = f1_interval(rows(800, 200))
    assert narrower[1] - narrower[0] < (high - low) / 2
    # Ten rows on each photo that are right or wrong together say no more than one.
    together = f1_interval(rows(800, 200, per_photo=10))
    assert together[1] - together[0] == pytest.approx(high - low, rel=0.2)


def test_paired_samples_see_a_small_but_steady_gain() -> None:
    """Ours is right on three rows more: never below on any sample, equal only where none of the three is drawn."""
    ours, theirs = rows(73, 27), rows(70, 30)
    assert worse_share(ours, theirs) == pytest.approx(0.05, abs=0.02)  # (1 - 3/100) ** 100
    assert worse_share(theirs, ours) == 1


def test_calibration_error() -> None:
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
    # Errors of opposite sign in two bins do not cancel.
    assert calibration_error([0.2] * 5 + [0.9] * 5, [True] * 5 + [False] * 5, bins=2) == pytest.approx(0.85)


def test_precision_of_the_most_confident() -> None:
    confidences, right = [0.1, 0.9, 0.8, 0.2], [False, True, True, False]
    assert precision_at(0.5, confidences, right) == 1
    assert precision_at(1, confidences, right) == 0.5


def test_rows_say_whether_everybody_would_agree(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("image,entity_name,accept,sure\na.jpg,item_weight,5 gram,1\nb.jpg,item_weight,,0\n")
    assert [row.sure for row in read_rows(labels, Schema.load())] == [True, False]
    labels.write_text("image,entity_name,entity_value\na.jpg,item_weight,5 gram\n")
    assert [row.sure for row in read_rows(labels, Schema.load())] == [True]
