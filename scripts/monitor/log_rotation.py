"""Keeps nginx's logs from filling the disk."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LogRotation"]

MAX_BYTES = 100_000_000


@dataclass(frozen=True)
class LogRotation:
    """Begins logs anew that have grown large, and keeps of each the one before.

    Attributes:
        logs: What nginx appends to.
        nginx_pid: The file with the number of nginx's first process.
        max_bytes: Beyond which a log is begun anew.
    """

    logs: Sequence[Path]
    nginx_pid: Path
    max_bytes: int = MAX_BYTES

    def look(self) -> None:
        """Rotates the logs where it is time.

        Raises:
            OSError: One cannot be renamed, or nginx does not run.
            ValueError: The file holds no process id.
        """
        large = [log for log in self.logs if log.exists() and log.stat().st_size > self.max_bytes]
        for log in large:
            log.replace(log.with_name(f"{log.name}.1"))
        if large:
            # nginx goes on writing into the renamed files until it is told.
            os.kill(int(self.nginx_pid.read_text()), signal.SIGUSR1)
