"""Metrics of quantities."""

import pytest

from resformer.train.evaluation.quantity_metrics import (
    MIX,
    Counts,
    calibration_error,
    f1_interval,
    p_not_better,
    precision_at_coverage,
    score,
)


def test_outcomes_are_counted_as_in_the_challenge() -> None:
    counts = Counts()
    counts.add("5 gram", ("5 gram", "0.18 ounce"))  # right
    counts.add("0.18 ounce", ("5 gram", "0.18 ounce"))  # right, too
    counts.add("6 gram", ("5 gram",))  # wrong: a false positive only
    counts.add("6 gram", ())  # nothing is shown
    counts.add("", ("5 gram",))
    counts.add("", ())
    assert (counts.true_positive, counts.false_positive) == (2, 2)
    assert (counts.false_negative, counts.true_negative) == (1, 1)
    assert counts.precision == pytest.approx(2 / 4)
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.f1 == pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))


def test_f1_without_rows_is_zero() -> None:
    assert Counts().f1 == 0.0


def test_mix_weights_the_f1_of_the_entities() -> None:
    rows = [("height", "5 inch", ("5 inch",)), ("voltage", "", ("5 volt",)), ("voltage", "5 volt", ("5 volt",))]
    result = score(rows)
    voltage_f1 = 2 * 0.5 / 1.5
    expected = (MIX["height"] * 1.0 + MIX["voltage"] * voltage_f1) / (MIX["height"] + MIX["voltage"])
    assert result.mix == pytest.approx(expected)
    assert result.micro.rows == 3
    assert "voltage" in result.table()


def test_the_weights_of_the_mix_add_up_to_one() -> None:
    assert sum(MIX.values()) == pytest.approx(1.0)


def rows(right: int, wrong: int, per_photo: int = 1) -> list[tuple[str, str, tuple[str, ...]]]:
    predictions = ["1 gram"] * right + ["2 gram"] * wrong
    return [(f"{i // per_photo}.jpg", prediction, ("1 gram",)) for i, prediction in enumerate(predictions)]


def test_intervals_contain_the_score_and_narrow_with_photos() -> None:
    low, high = f1_interval(rows(80, 20))
    assert low < 0.889 < high < 1
    narrower = f1_interval(rows(800, 200))
    assert narrower[1] - narrower[0] < (high - low) / 2
    # Ten rows on each photo that are right or wrong together count as one.
    together = f1_interval(rows(800, 200, per_photo=10))
    assert together[1] - together[0] == pytest.approx(high - low, rel=0.2)


def test_paired_samples_detect_a_small_but_consistent_gain() -> None:
    """Ours is right on three rows more: it is equal where none of the three is drawn, never below."""
    ours, theirs = rows(73, 27), rows(70, 30)
    assert p_not_better(ours, theirs) == pytest.approx(0.05, abs=0.02)  # (1 - 3/100) ** 100
    assert p_not_better(theirs, ours) == 1


def test_calibration_error() -> None:
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
    # Errors of opposite sign in two bins do not cancel.
    assert calibration_error([0.2] * 5 + [0.9] * 5, [True] * 5 + [False] * 5, bins=2) == pytest.approx(0.85)


def test_precision_of_the_most_confident() -> None:
    confidences, right = [0.1, 0.9, 0.8, 0.2], [False, True, True, False]
    assert precision_at_coverage(0.5, confidences, right) == 1
    assert precision_at_coverage(1, confidences, right) == 0.5
