import pytest

from train.metrics import MIX, Counts, score


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
