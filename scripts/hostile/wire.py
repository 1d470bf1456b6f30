"""HTTP/1.1 over one socket, byte by byte: sends what no HTTP client would, and reads every answer."""

import io
import json
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

__all__ = ["CLOSED", "SILENT", "Answer", "Wire", "head"]

# In place of a status: the server ended the connection without an answer, or kept it without one.
CLOSED, SILENT = 0, -1
SLICE = 1 << 16


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or CLOSED or SILENT; the headers in lower case; the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def fault(self) -> str | None:
        """What is wrong with an error: it is no JSON object of the form that the API promises. None for the others."""
        if self.status < 400:
            return None
        if self.status == 503 and "retry-after" not in self.headers:
            return "an answer 503 without Retry-After"
        try:
            document = json.loads(self.body)
        except ValueError:
            return f"an answer {self.status} that is no JSON: {self.body[:80]!r}"
        if not isinstance(document, dict) or document.keys() < {"code", "type", "message"}:
            return f"an answer {self.status} without code, type and message: {self.body[:80]!r}"
        return None if document["code"] == self.status else f"an answer {self.status} that says {document['code']}"


class Wire:
    """One connection to a server."""

    def __init__(self, port: int, *, timeout: float = 75.0, host: str = "127.0.0.1"):
        """Connects.

        Raises:
            OSError: Nothing listens.
        """
        self.socket = socket.create_connection((host, port), timeout)
        self._timeout = timeout
        self._file = _KeptOpen(_Received(self.socket))

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Sends bytes; stops where an answer is there already, or the server takes no more.

        Returns:
            Whether all was sent.
        """
        view = memoryview(data)
        deadline = time.monotonic() + self._timeout
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | select.POLLOUT)
        while view:
            events = dict(poll.poll(1000 * max(0.0, deadline - time.monotonic())))
            if events.get(self.socket.fileno(), select.POLLIN) != select.POLLOUT:
                return False
            try:
                view = view[self.socket.send(view[:SLICE]) :]
            except OSError:  # reset: there may still be an answer to read
                return False
        return True

    def answer(self, method: str = "PUT", timeout: float | None = None) -> Answer:
        """The next answer."""
        self.socket.settimeout(timeout or self._timeout)
        response = HTTPResponse(cast("socket.socket", _Source(self._file)), method=method)
        try:
            response.begin()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except TimeoutError:
            return Answer(SILENT, {}, b"")
        except (HTTPException, OSError):
            return Answer(CLOSED, {}, b"")


def head(method: str, path: str, headers: Mapping[str, Any]) -> bytes:
    """The head of a request; text is sent as UTF-8."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


class _Received(io.RawIOBase):
    """What a socket receives; unlike that of makefile it can be read again after a timeout."""

    def __init__(self, source: socket.socket):
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.recv_into(buffer)


class _KeptOpen(io.BufferedReader):
    """Answers follow one another on a connection; a response closes its file."""

    def close(self) -> None:
        pass


class _Source:
    def __init__(self, file: _KeptOpen):
        self._file = file

    def makefile(self, mode: str) -> _KeptOpen:
        return self._file
