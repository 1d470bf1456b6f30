"""Takes nginx's access log from a unix socket."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["LogReceiver"]

MAX_DATAGRAM = 65_536
WAKE_SECONDS = 0.5


class LogReceiver:
    """Binds a socket for datagrams at once, and hands them on until it is told to end.

    Args:
        path: Of the socket; one that an earlier process left is replaced.
        take: Called with each datagram. It must not raise.
    """

    def __init__(self, path: Path, take: Callable[[bytes], None]):
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(WAKE_SECONDS)
        self._take = take

    def run(self, stop: threading.Event) -> None:
        """Takes datagrams until the event."""
        with self._socket:
            while not stop.is_set():
                try:
                    datagram = self._socket.recv(MAX_DATAGRAM)
                except TimeoutError:
                    continue
                self._take(datagram)
