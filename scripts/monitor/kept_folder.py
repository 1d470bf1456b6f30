"""Keeps a folder below /tmp from being cleaned up while a server uses it.

Many systems remove there what nobody has read for days, such as the archive that TorchServe has unpacked and reads
again only when it starts a worker again. systemd-tmpfiles leaves a folder alone that is locked.
"""

import fcntl
import os
from pathlib import Path

__all__ = ["KeptFolder"]


class KeptFolder:
    """The lock on one folder, until another one is kept or the process ends."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._descriptor: int | None = None

    def keep(self, folder: Path) -> None:
        """Locks a folder in place of the one before.

        Raises:
            OSError: It is not there, or is being cleaned up at this moment.
        """
        if folder == self._folder:
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self.release()
        self._folder, self._descriptor = folder, descriptor

    def release(self) -> None:
        """Gives up the lock, where there is one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._folder = self._descriptor = None
