"""Runs of `resformer score` as a person starts them, and what they take: time, memory, processors."""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from resformer.scripts.lib.external_error import ExternalError

__all__ = ["QUANTITIES", "RunFigures", "score_command", "watch_runs"]

QUANTITIES = "item_weight,width,height,depth,voltage,wattage,item_volume"
INTERVAL = 0.5  # seconds between two looks at memory


@dataclass(frozen=True)
class RunFigures:
    """What runs side by side took.

    Attributes:
        start_seconds: Until the last of them had its first answer.
        seconds: Until the last of them ended.
        peak_bytes: Memory of all processes; what several share is divided among them.
        main_core_seconds: Processor time, behind the first answer, of the processes that were started, without theirs.
    """

    start_seconds: float
    seconds: float
    peak_bytes: int
    main_core_seconds: float


def score_command(table: Path, out: Path, photos: Path, *options: str) -> list[str]:
    """The command line that scores a table with this Python."""
    return [sys.executable, "-m", "resformer", "score", str(table), str(out), "--photos", str(photos), *options]


def watch_runs(
    commands: Sequence[Sequence[str]], outs: Sequence[Path], *, environment: Mapping[str, str] | None = None
) -> RunFigures:
    """Runs scoring commands side by side.

    Args:
        commands: See score_command.
        outs: The output of each.
        environment: Variables; None are those of this process.

    Raises:
        ExternalError: A run failed.
    """
    with tempfile.TemporaryFile("w+") as log:
        started = time.monotonic()
        processes = [subprocess.Popen(command, env=environment, stderr=log) for command in commands]
        try:
            first, peak, core_seconds = _watch(processes, outs)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        ended = time.monotonic()
        if any(process.returncode for process in processes):
            log.seek(0)
            raise ExternalError(f"`{' '.join(commands[0][1:])}` failed: {log.read()[-2000:]}")
    return RunFigures((first or ended) - started, ended - started, peak, core_seconds)


def _watch(processes: Sequence["subprocess.Popen[bytes]"], outs: Sequence[Path]) -> tuple[float, int, float]:
    """When the last of the processes had its first answer, the peak memory of all, and their processor time since."""
    first = before = after = 0.0
    peak = 0
    while any(process.poll() is None for process in processes):
        after = max(after, sum(_core_seconds(process.pid) for process in processes))
        if not first and all(map(_has_answers, outs)):
            first, before = time.monotonic(), after
        peak = max(peak, sum(_bytes(process.pid) for process in processes))
        time.sleep(INTERVAL)
    return first, peak, after - before if first else 0.0


def _has_answers(out: Path) -> bool:
    journal = out.with_name(f"{out.name}.journal")
    if not journal.exists():
        return out.exists()
    try:
        connection = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    except sqlite3.OperationalError:  # it has just been deleted
        return out.exists()
    try:
        return bool(connection.execute("SELECT EXISTS (SELECT * FROM answers)").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return False
    finally:
        connection.close()


def _core_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:  # it has ended
        return 0.0
    return float(times.user + times.system)


def _bytes(pid: int) -> int:
    """Memory of a process and of all that it started: pages that several share are divided among them."""
    try:
        parent = psutil.Process(pid)
        return sum(_proportional(process) for process in [parent, *parent.children(recursive=True)])
    except psutil.Error:  # it has ended
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
