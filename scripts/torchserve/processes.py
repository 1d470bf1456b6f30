"""Processes that run on after the command that started them, each in a session of its own."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["INTERRUPTS", "is_running", "start_detached", "stop_group", "uninterrupted", "wait_until"]

INTERRUPTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a command: a supervisor, Ctrl-C, a closed terminal."""


def start_detached(
    command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Starts a process out of reach of Ctrl-C in this terminal; what it prints is appended to a log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def is_running(pid: int, sign: str) -> bool:
    """Whether a process runs whose command line has the sign: the number may be that of another one by now."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return sign.encode() in command  # of a zombie it is empty


def stop_group(pid: int, seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Ends the process group that a process is in: asked first, forced after some seconds."""
    try:
        group = os.getpgid(pid)
    except ProcessLookupError:
        return
    for step in (first, signal.SIGKILL):
        try:
            os.killpg(group, step)
        except ProcessLookupError:
            return
        if wait_until(lambda: not _group_runs(group), seconds):
            return


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for a condition, and returns whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignores INTERRUPTS, which only the first thread gets, where half of the block would leave a mess."""
    first = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTS if first}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _group_runs(group: int) -> bool:
    _reap(group)
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _reap(group: int) -> None:
    """Takes leave of ended children of this process, which would be counted as running."""
    try:
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
