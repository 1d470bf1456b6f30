"""Two systems timed in turn."""

import time

import numpy as np
import pytest

from resformer.train.evaluation.latency import Pace, take_turns


def test_turns_alternate_and_every_photo_is_timed() -> None:
    calls: list[str] = []

    def slow(photo: str) -> None:
        calls.append(f"slow {photo}")
        time.sleep(0.02)

    pace = take_turns(["a", "b"], lambda photo: calls.append(f"quick {photo}"), slow, warm_up=1)
    assert calls == ["quick a", "slow a", "quick a", "slow a", "slow b", "quick b"]
    assert pace.ours.shape == pace.theirs.shape == (2,)
    assert (pace.theirs >= 0.02).all()
    assert pace.ratio < 0.5


def test_ratio_is_of_the_means() -> None:
    pace = Pace(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert pace.ratio == 0.5
    assert pace.interval() == (0.5, 0.5)


def test_no_photos_are_named() -> None:
    with pytest.raises(ValueError, match="no photos"):
        take_turns([], print, print)
