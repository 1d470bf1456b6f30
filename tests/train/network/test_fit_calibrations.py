"""Temperatures and thresholds that are fitted on answers."""

import numpy as np
import pytest

from resformer.model.inference.calibration import Calibration
from resformer.train.network.fit_calibrations import KindAnswers, accuracy, fit_calibration, fit_temperature, strict_f1


def answers_of(logits: list[list[float]], right: list[list[int]], no_answer: int = -1) -> KindAnswers:
    """Questions with the empty answer first, and the indices of their right answers."""
    answers = KindAnswers()
    masks = [[i in indices for i in range(len(row))] for row, indices in zip(logits, right, strict=True)]
    answers.add(np.array(logits), np.array(masks), no_answer)
    return answers


def test_a_wrong_answer_counts_twice() -> None:
    given = Calibration(1.0, 0.0)
    assert strict_f1(answers_of([[0, 5, 0], [0, 5, 0]], [[1], [1]]), given) == 1
    assert strict_f1(answers_of([[0, 5, 0], [0, 5, 0]], [[1], [2]]), given) == 0.5
    # Nothing is shown: an answer is a false positive, an empty one counts for nothing.
    assert strict_f1(answers_of([[0, 5, 0], [0, 5, 0]], [[1], [0]]), given) == pytest.approx(2 / 3)
    assert strict_f1(answers_of([[0, 5, 0], [9, 0, 0]], [[1], [0]]), Calibration(1.0, 0.5)) == 1
    # Where the empty answer is right beside another, both are.
    both = [[0.0, 5.0, 0.0], [9.0, 0.0, 0.0]]
    assert strict_f1(answers_of(both, [[0, 1], [0, 1]]), Calibration(1.0, 0.5)) == 1


def test_what_is_no_answer_is_never_given() -> None:
    answers = answers_of([[0, 9, 1]], [[2]], no_answer=1)
    assert accuracy(answers) == 1
    assert strict_f1(answers, Calibration(1.0, 0.0)) == 1
    assert strict_f1(answers, Calibration(1.0, 0.1)) == 0  # it makes the others less likely


def test_the_temperature_makes_probabilities_true() -> None:
    """Of answers with a probability of 0.95 four in five are right: the logits are divided by log(19) / log(4)."""
    logits = [[0.0, np.log(19.0)]] * 500
    fitted = fit_calibration(answers_of(logits, [[int(i % 5 > 0)] for i in range(500)]))
    assert fitted.temperature == pytest.approx(np.log(19) / np.log(4), rel=0.06)


def test_a_small_group_counts_for_the_temperature() -> None:
    """Answers of the large group are all right, of the small one half of them."""
    answers = KindAnswers()
    masks = np.array([[False, True]] * 450 + [[i % 2 == 0, i % 2 > 0] for i in range(50)])
    answers.add(np.array([[0.0, 3.0]] * 500), masks, groups=[0] * 450 + [1] * 50)
    alone = KindAnswers(answers.logits, answers.right, answers.no_answer, [0] * 500)
    assert fit_temperature(answers) > 1.2 * fit_temperature(alone)


def test_the_threshold_leaves_out_what_is_mostly_wrong() -> None:
    logits = [[0.0, 2.0]] * 100 + [[0.0, 0.0]] * 100
    right = [[1]] * 88 + [[0]] * 12 + [[0]] * 90 + [[1]] * 10
    fitted = fit_calibration(answers_of(logits, right))
    assert fitted.min_confidence is not None and 0.5 < fitted.min_confidence < 0.9
    assert strict_f1(answers_of(logits, right), fitted) > 0.85
