"""Keeps nginx's access log from filling the disk."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LogRotation"]

MAX_BYTES = 100_000_000


@dataclass(frozen=True)
class LogRotation:
    """Begins a log anew when it has grown large, and keeps the one before.

    Attributes:
        log: What nginx appends to.
        nginx_pid: The file with the number of nginx's first process.
        max_bytes: Beyond which the log is begun anew.
    """

    log: Path
    nginx_pid: Path
    max_bytes: int = MAX_BYTES

    def look(self) -> None:
        """Rotates the log where it is time.

        Raises:
            OSError: It cannot be renamed, or nginx does not run.
            ValueError: The file holds no process id.
        """
        if self.log.exists() and self.log.stat().st_size > self.max_bytes:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
            # nginx goes on writing into the renamed file until it is told.
            os.kill(int(self.nginx_pid.read_text()), signal.SIGUSR1)
