"""Decoding rules on given probabilities."""

from typing import Any

import pytest
import torch

from resformer.model.inference.quantity_decoding import ExclusivePair, QuantityAnswer, decode_quantities


def answers(probabilities: list[list[float]], strings: list[list[str]], **settings: Any) -> list[QuantityAnswer]:
    """Decodes the probabilities of each question's classes: empty, unread, candidates."""
    return decode_quantities(torch.tensor(probabilities).log(), strings, **settings)


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


def test_an_infinite_margin_gives_the_best_guess() -> None:
    guess, nothing_found = answers([[0.9, 0, 0.1], [1.0, 0.0, 0.0]], [["500 gram"], []], empty_margin=float("inf"))
    assert (guess.candidate, nothing_found.candidate) == (0, None)
    assert (guess.probability, guess.empty_probability) == pytest.approx((0.1, 0.9))


def test_unread_is_no_answer() -> None:
    """It lowers the confidence of the others."""
    (answer,) = answers([[0.1, 0.7, 0.2]], [["500 gram"]], top_k=3)
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.2)
    assert [candidate for candidate, _ in answer.alternatives] == [0, None]


def test_temperature_softens_the_confidence() -> None:
    (answer,) = answers([[0.1, 0, 0.9]], [["500 gram"]], temperature=2.0)
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(3 / 4)  # odds of nine to one become three to one


def test_candidates_of_another_question_are_no_answer() -> None:
    """A batch is as wide as its longest list; who has none can only be empty."""
    first, second = answers([[0.1, 0.0, 0.2, 0.7], [1.0, 0.0, 0.0, 0.0]], [["1 gram", "2 gram"], []], top_k=3)
    assert first.candidate == 1
    assert second == QuantityAnswer(None, 1.0, 1.0, [(None, 1.0)])


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


def test_a_square_has_one_length() -> None:
    """Where one candidate is far likelier for both, both take it."""
    row = [0, 0, 0.95, 0, 0.05]
    assert jointly_chosen(row, row) == [0, 0]


def test_an_exclusive_pair_keeps_its_own_confidences() -> None:
    both = answers([[0, 0, 0.8, 0, 0.2], [0, 0, 0.55, 0, 0.45]], [LENGTHS] * 2, exclusive_pairs=EXCLUSIVE)
    assert [answer.probability for answer in both] == pytest.approx([0.8, 0.45])
