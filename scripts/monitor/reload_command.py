"""How nginx is told to read its configuration again."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["reload_by_command", "reload_by_signal"]

TIMEOUT = 60.0


def reload_by_command(command: Sequence[str]) -> Callable[[], None]:
    """Runs a command; what it returns raises OSError where the command fails."""

    def reload() -> None:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise OSError(f"{command[0]} took more than {TIMEOUT:.0f} s") from error
        if done.returncode:
            raise OSError(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-500:].strip()}")

    return reload


def reload_by_signal(pid_file: Path) -> Callable[[], None]:
    """Sends SIGHUP to nginx's first process; what it returns raises OSError where there is none."""

    def reload() -> None:
        try:
            pid = int(pid_file.read_text())
        except ValueError as error:
            raise OSError(f"{pid_file} holds no process id") from error
        os.kill(pid, signal.SIGHUP)

    return reload
