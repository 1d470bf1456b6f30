"""The cases of texts and print: enough of them, each its own, and texts get the statuses that they may."""

from collections import Counter

import pytest

from resformer.model.predictor import Predictor
from resformer.scripts.hostile.case import Case
from resformer.scripts.hostile.in_process import outcome
from resformer.scripts.hostile.texts import CASES

TEXTS = [case for case in CASES if case.group == "text"]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load(reader="builtin", threads=2)


def test_each_case_has_a_name_of_its_own() -> None:
    assert len(CASES) >= 40
    assert max(Counter((case.group, case.name) for case in CASES).values()) == 1


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case.name)
def test_texts_get_an_answer_or_are_refused(case: Case, predictor: Predictor) -> None:
    call = case.make()
    assert call == case.make()
    assert outcome(predictor, call) in case.statuses
