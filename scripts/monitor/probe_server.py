"""Answers GET on a unix socket, behind nginx."""

import json
import logging
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

__all__ = ["Answer", "ProbeServer"]

MAX_CONNECTIONS = 32
CONNECTION_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """An answer: status, body and its type."""

    status: int
    body: bytes
    content_type: str = "application/json"

    @classmethod
    def of_json(cls, status: int, body: Mapping[str, Any]) -> "Answer":
        """A short JSON object, on a line."""
        return cls(status, json.dumps(body).encode() + b"\n")


class ProbeServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves the answers of functions by their paths. It listens once it is made.

    Args:
        path: Of the socket; one that an earlier process left is replaced.
        answers: By path.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, answers: Mapping[str, Callable[[], Answer]]):
        self.answers = answers
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Waits for a free slot: callers queue in front of the socket, not as threads."""
        self._slots.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread can be started
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers a connection in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no fault; another error is logged."""
        if not isinstance(sys.exception(), OSError):
            logger.exception("a probe was not answered")


class _Handler(BaseHTTPRequestHandler):
    server: ProbeServer
    timeout = CONNECTION_SECONDS

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        find = self.server.answers.get(path)
        if find is None:
            paths = ", ".join(self.server.answers)
            self._send(_error(HTTPStatus.NOT_FOUND, f"there is nothing at this path; ask for {paths}"))
            return
        try:
            answer = find()
        except Exception:  # The next probe is answered anew.
            logger.exception("%s failed", path)
            answer = _error(HTTPStatus.INTERNAL_SERVER_ERROR, "the monitor failed; its log has the reason")
        self._send(answer)

    do_HEAD = do_GET

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Errors of the protocol, as JSON too."""
        self._send(_error(HTTPStatus(code), message or HTTPStatus(code).phrase))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: nginx has an access log."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


def _error(status: HTTPStatus, message: str) -> Answer:
    kind = "".join(word.capitalize() for word in status.phrase.split())
    return Answer.of_json(status.value, {"code": status.value, "type": kind, "message": message})
