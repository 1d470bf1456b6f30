"""Decoding rules on given probabilities."""

from collections.abc import Sequence

import numpy as np
import pytest

from resformer.model.inference.quantity_decoding import ExclusivePair, QuantityAnswer, decode_quantities, outcome_of


def answers(
    probabilities: Sequence[Sequence[float]],
    strings: Sequence[Sequence[str]],
    *,
    min_confidence: float | None = None,
    exclusive_pairs: Sequence[ExclusivePair] = (),
    top_k: int = 0,
) -> list[QuantityAnswer]:
    """Decodes the probabilities of each question's answers: empty, unread, candidates."""
    return decode_quantities(
        [np.array(row, dtype=np.float32) for row in probabilities],
        strings,
        min_confidence=[min_confidence] * len(strings),
        exclusive_pairs=exclusive_pairs,
        top_k=top_k,
    )


def test_equal_strings_are_one_answer() -> None:
    """Two candidates of 500 gram win together over one of 17.6 ounce that is likelier than either."""
    (answer,) = answers([[0.05, 0, 0.25, 0.4, 0.3]], [["500 gram", "17.6 ounce", "500 gram"]], top_k=3)
    assert answer.candidate == 2  # the likelier of the two is the evidence
    assert answer.probability == pytest.approx(0.55)
    assert [candidate for candidate, _ in answer.alternatives] == [2, 1, None]


def test_empty_wins_where_it_is_likeliest() -> None:
    (answer,) = answers([[0.6, 0, 0.4]], [["500 gram"]])
    assert answer.candidate is None
    assert answer.probability == pytest.approx(0.6)


def test_empty_has_to_be_likelier_by_a_margin() -> None:
    """Where both are about as likely, the answer is worth giving; its confidence is its own probability."""
    (answer,) = answers([[0.55, 0, 0.45]], [["500 gram"]])
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.45)


@pytest.mark.parametrize(("min_confidence", "candidate"), [(0.0, 0), (0.44, 0), (0.46, None), (1.0, None)])
def test_a_min_confidence_decides_instead_of_the_margin(min_confidence: float, candidate: int | None) -> None:
    (answer,) = answers([[0.3, 0.25, 0.45]], [["500 gram"]], min_confidence=min_confidence)
    assert answer.candidate == candidate
    assert answer.probability == pytest.approx(0.45 if candidate == 0 else 0.3)


def test_a_withheld_answer_stays_among_the_alternatives() -> None:
    (answer,) = answers([[0.3, 0.25, 0.45]], [["500 gram"]], min_confidence=0.5, top_k=2)
    assert answer.candidate is None
    assert answer.alternatives == [(0, pytest.approx(0.45)), (None, pytest.approx(0.3))]


def test_the_best_guess_is_no_answer_where_there_are_no_candidates() -> None:
    assert answers([[1.0, 0.0]], [[]], min_confidence=0.0) == [QuantityAnswer(None, 1.0)]


def test_unread_is_no_answer() -> None:
    """It lowers the confidence of the others."""
    (answer,) = answers([[0.1, 0.7, 0.2]], [["500 gram"]], top_k=3)
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.2)
    assert [candidate for candidate, _ in answer.alternatives] == [0, None]


LENGTHS = ["10 centimetre", "3.9 inch", "20 centimetre"]
EXCLUSIVE = [ExclusivePair(0, 1, amounts=[0, 0, 2])]


def jointly_chosen(first: list[float], second: list[float]) -> list[int | None]:
    both = answers([first, second], [LENGTHS] * 2, exclusive_pairs=EXCLUSIVE)
    return [answer.candidate for answer in both]


def test_an_exclusive_pair_takes_two_candidates() -> None:
    """Each alone would take the 10 centimetre; the less certain one takes the other candidate."""
    certain = [0, 0, 0.8, 0, 0.2]
    uncertain = [0, 0, 0.55, 0, 0.45]
    assert jointly_chosen(certain, uncertain) == [0, 2]
    assert jointly_chosen(uncertain, certain) == [2, 0]


def test_the_same_amount_in_another_unit_is_no_other_candidate() -> None:
    """3.9 inch and 10 centimetre are the same amount."""
    assert jointly_chosen([0, 0, 0.8, 0, 0.2], [0, 0, 0, 0.55, 0.45]) == [0, 2]


@pytest.mark.parametrize("min_confidence", [None, 0.0, 0.5, 0.8])
def test_a_square_has_one_length(min_confidence: float | None) -> None:
    """Where one candidate is far likelier for both, both take it."""
    row = [0.03, 0, 0.95, 0, 0.02]
    both = answers([row, row], [LENGTHS] * 2, exclusive_pairs=EXCLUSIVE, min_confidence=min_confidence)
    assert [answer.candidate for answer in both] == [0, 0]


def test_an_exclusive_pair_has_the_confidences_of_both_together() -> None:
    first, second = answers([[0, 0, 0.8, 0, 0.2], [0, 0, 0.5, 0, 0.5]], [LENGTHS] * 2, exclusive_pairs=EXCLUSIVE)
    # Both 10, 10 and 20, 20 and 10, both 20.
    joint = np.array([0.4 * 0.3, 0.4, 0.1, 0.1 * 0.3])
    joint /= joint.sum()
    assert (first.candidate, first.probability) == (0, pytest.approx(joint[0] + joint[1]))
    assert (second.candidate, second.probability) == (2, pytest.approx(joint[1] + joint[3]))


def test_an_exclusive_pair_may_be_empty_on_either_side() -> None:
    both = answers(
        [[0.1, 0, 0.8, 0, 0.1], [0.5, 0, 0.25, 0, 0.25]],
        [LENGTHS] * 2,
        exclusive_pairs=EXCLUSIVE,
        min_confidence=0.6,
    )
    assert [answer.candidate for answer in both] == [0, None]


@pytest.mark.parametrize(
    "row, strings, min_confidence, outcome",
    [
        ([0.1, 0, 0.9], ["500 gram"], None, "answered"),
        ([0.1, 0, 0.9], ["500 gram"], 0.95, "withheld"),
        ([0.4, 0, 0.3, 0.3], ["500 gram", "500 gram"], 0.8, "withheld"),  # two candidates are one value
        ([0.4, 0, 0.3, 0.3], ["500 gram", "400 gram"], 0.8, "absent"),
        ([0.2, 0.7, 0.1], ["500 gram"], 0.5, "unread"),
        ([0.9, 0.1], [], None, "absent"),
    ],
)
def test_what_became_of_a_question(
    row: list[float], strings: list[str], min_confidence: float | None, outcome: str
) -> None:
    (answer,) = answers([row], [strings], min_confidence=min_confidence)
    assert outcome_of(np.array(row, dtype=np.float32), strings, answer) == outcome
