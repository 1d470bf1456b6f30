"""How nginx is told to read its configuration again."""

import subprocess
from collections.abc import Callable, Sequence

__all__ = ["reload_by_command"]

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
