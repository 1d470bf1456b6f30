"""Requests at once, by the machine's cores."""

import pytest

from resformer.handler import threads
from resformer.scripts.torchserve.admission import Admission


@pytest.mark.parametrize(
    ("cores", "admission", "mebibytes"),
    [(1, Admission(64, 16, 4), 256), (2, Admission(64, 16, 4), 256), (16, Admission(128, 32, 16), 761)],
)
def test_each_core_has_a_request(
    cores: int, admission: Admission, mebibytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    assert Admission.for_this_machine() == admission
    assert admission.mebibytes == mebibytes
