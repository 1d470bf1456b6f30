"""Decoding rules on given probabilities."""

from typing import Any

import pytest
import torch

from resformer.model.inference.decoding import Answer, Crossing, decode


def answers(chances: list[list[float]], strings: list[list[str]], **settings: Any) -> list[Answer]:
    """Decodes these probabilities of each question's answers: empty, not read, candidates."""
    return decode(torch.tensor(chances).log(), strings, **settings)


def test_equal_strings_are_one_answer() -> None:
    """Two prints of 500 gram win together over one of 17.6 ounce that is likelier than either."""
    (answer,) = answers([[0.05, 0, 0.25, 0.4, 0.3]], [["500 gram", "17.6 ounce", "500 gram"]], top=3)
    assert answer.candidate == 2  # the likelier print is the evidence
    assert answer.probability == pytest.approx(0.55)
    assert [candidate for candidate, _ in answer.others] == [2, 1, None]


def test_empty_wins_where_it_is_likeliest() -> None:
    (answer,) = answers([[0.6, 0, 0.4]], [["500 gram"]])
    assert answer.candidate is None
    assert answer.probability == pytest.approx(0.6)


def test_empty_has_to_be_likelier_by_a_margin() -> None:
    """Where both are about as likely, the answer is worth giving; its confidence stays its own."""
    (answer,) = answers([[0.55, 0, 0.45]], [["500 gram"]])
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.45)


def test_what_was_not_read_is_no_answer() -> None:
    """It lowers the confidence of the others."""
    (answer,) = answers([[0.1, 0.7, 0.2]], [["500 gram"]], top=3)
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(0.2)
    assert [candidate for candidate, _ in answer.others] == [0, None]


def test_temperature_softens_the_confidence() -> None:
    (answer,) = answers([[0.1, 0, 0.9]], [["500 gram"]], temperature=2.0)
    assert answer.candidate == 0
    assert answer.probability == pytest.approx(3 / 4)  # odds of nine to one become three to one


def test_candidates_of_another_question_are_no_answer() -> None:
    """A batch is as wide as its longest list; who has none can only be empty."""
    first, second = answers([[0.1, 0.0, 0.2, 0.7], [1.0, 0.0, 0.0, 0.0]], [["1 gram", "2 gram"], []], top=3)
    assert first.candidate == 1
    assert second == Answer(None, 1.0, [(None, 1.0)])


LENGTHS = ["10 centimetre", "3.9 inch", "20 centimetre"]
CROSSING = [Crossing(0, 1, amounts=[0, 0, 2])]


def chosen_together(first: list[float], second: list[float]) -> list[int | None]:
    both = answers([first, second], [LENGTHS] * 2, crossing=CROSSING)
    return [answer.candidate for answer in both]


def test_lengths_across_each_other_take_two_prints() -> None:
    """Each alone would take the 10 centimetre; the one that is less sure of it takes the other print."""
    sure = [0, 0, 0.8, 0, 0.2]
    unsure = [0, 0, 0.55, 0, 0.45]
    assert chosen_together(sure, unsure) == [0, 2]
    assert chosen_together(unsure, sure) == [2, 0]


def test_another_unit_is_no_other_print() -> None:
    """3.9 inch is the 10 centimetre once more."""
    assert chosen_together([0, 0, 0.8, 0, 0.2], [0, 0, 0, 0.55, 0.45]) == [0, 2]


def test_a_square_has_one_length() -> None:
    """Where one print is far likelier for both, both take it."""
    sure = [0, 0, 0.95, 0, 0.05]
    assert chosen_together(sure, sure) == [0, 0]


def test_what_crosses_keeps_its_own_confidence() -> None:
    both = answers([[0, 0, 0.8, 0, 0.2], [0, 0, 0.55, 0, 0.45]], [LENGTHS] * 2, crossing=CROSSING)
    assert [answer.probability for answer in both] == pytest.approx([0.8, 0.45])
