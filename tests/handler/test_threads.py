"""How workers share the cores."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resformer.handler import threads
from resformer.handler.threads import WORKER_SCRIPT, available_cores, equal_part, worker_count
from tests.paths import ROOT

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cores"), [("max 100000", CORES), ("100000 100000", 1), ("50000 100000", 1), ("9999900000 100000", CORES)]
)
def test_a_container_may_use_its_quota(tmp_path: Path, quota: str, cores: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")
    assert available_cores(file) == cores


def test_without_a_quota_all_cores_are_used(tmp_path: Path) -> None:
    assert available_cores(tmp_path / "cpu.max") == CORES


def test_workers_of_one_server_count_each_other(tmp_path: Path) -> None:
    script = tmp_path / WORKER_SCRIPT
    script.write_text("from resformer.handler.threads import worker_count\ninput()\nprint(worker_count())\n")
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    first, _ = workers[0].communicate("\n", timeout=60)
    second, _ = workers[1].communicate("\n", timeout=60)
    assert (first, second) == ("2\n", "1\n")


def test_a_process_without_siblings_is_one_worker() -> None:
    assert worker_count() == 1


@pytest.mark.parametrize(("cores", "workers", "part"), [(8, 1, 8), (8, 3, 2), (2, 4, 1)])
def test_the_part_is_equal_and_never_nothing(
    monkeypatch: pytest.MonkeyPatch, cores: int, workers: int, part: int
) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    monkeypatch.setattr(threads, "worker_count", lambda: workers)
    assert equal_part() == part
