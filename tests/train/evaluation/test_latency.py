"""Timing of two systems in turn."""

import time
from pathlib import Path

import numpy as np
import pytest

from resformer.train.evaluation.latency import LatencyComparison, benchmark_latency, compare_latency


def test_the_order_alternates_and_every_photo_is_timed() -> None:
    calls: list[str] = []

    def slow(photo: str) -> None:
        calls.append(f"slow {photo}")
        time.sleep(0.02)

    comparison = compare_latency(["a", "b"], lambda photo: calls.append(f"quick {photo}"), slow, warm_up=1)
    assert calls == ["quick a", "slow a", "quick a", "slow a", "slow b", "quick b"]
    assert comparison.ours.shape == comparison.theirs.shape == (2,)
    assert (comparison.theirs >= 0.02).all()
    assert comparison.ratio < 0.5


def test_the_ratio_is_that_of_the_means() -> None:
    comparison = LatencyComparison(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert comparison.ratio == 0.5
    assert comparison.interval() == (0.5, 0.5)


def test_what_cannot_be_timed_is_refused() -> None:
    with pytest.raises(ValueError, match="no photos"):
        compare_latency([], print, print)
    with pytest.raises(ValueError, match="unknown engine 'none'; known are PP-OCRv6 small"):
        benchmark_latency(Path(), ["builtin"], "none")
