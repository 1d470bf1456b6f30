"""HTTP over Unix sockets, with a bound on time and size."""

import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

__all__ = ["exchange"]

MAX_BYTES = 8_000_000


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def exchange(
    path: Path,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    timeout: float,
) -> tuple[int, bytes]:
    """Status and body of one answer.

    Args:
        path: Of the socket.
        target: Path and query of the resource.
        timeout: Seconds for each step of the exchange.

    Raises:
        OSError: Nobody answers there, or not in time (TimeoutError), or with what is no HTTP, or more than MAX_BYTES.
    """
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        answer = response.read(MAX_BYTES + 1)
    except HTTPException as error:
        raise OSError(f"the answer at {path} is no HTTP: {error!r}") from error
    finally:
        connection.close()
    if len(answer) > MAX_BYTES:
        raise OSError(f"the answer at {path} has more than {MAX_BYTES} bytes")
    return response.status, answer
