"""HTTP over a Unix socket."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Reply", "call_socket"]


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. `body` is parsed JSON, or None where the server sent none."""

    status: int
    body: Any


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def call_socket(
    path: Path, method: str, target: str, headers: Mapping[str, str], *, timeout: float, body: bytes | None = None
) -> Reply:
    """Sends one request to the server at a Unix socket.

    Raises:
        OSError: There is no server, it ends the connection, or it does not answer in time (TimeoutError).
        ValueError: The answer is not JSON.
    """
    connection = _Connection(path, timeout)
    try:
        connection.request(method, target, body, dict(headers))
        reply = connection.getresponse()
        answer = reply.read()
    except http.client.HTTPException as error:
        raise OSError(f"the connection broke: {error!r}") from error
    finally:
        connection.close()
    return Reply(reply.status, json.loads(answer) if answer else None)
