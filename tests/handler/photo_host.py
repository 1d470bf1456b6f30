"""A host of photos on loopback that speaks TLS, under the names that a test gives it."""

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import Self

import trustme

__all__ = ["PhotoHost"]

PHOTO = b"\xff\xd8\xff" + bytes(1000)


class PhotoHost:
    """Serves PHOTO at /photo.jpg, and at other paths what a client must not be taken in by.

    Args:
        names: Of its certificate.

    Attributes:
        port: On 127.0.0.1.
        tls: For a client that trusts its certificate.
        asked: The path and the headers of each request, in their order.
    """

    def __init__(self, *names: str):
        authority = trustme.CA()
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.redirect = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        self.tls = ssl.create_default_context()
        authority.configure_trust(self.tls)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append((self.path, dict(self.headers.items())))
                name = self.path.partition("?")[0].strip("/").replace(".", "_")
                with suppress(OSError):  # the client may go away
                    getattr(self, f"send_{name}")()

            def send_photo_jpg(self) -> None:
                self._send(PHOTO)

            def send_page(self) -> None:
                self._send(b"<html>" + bytes(1000))

            def send_short(self) -> None:
                self._send(b"\xff\xd8")

            def send_missing(self) -> None:
                self.send_error(404)

            def send_away(self) -> None:
                self._send(b"", 302, {"Location": host.redirect})

            def send_compressed(self) -> None:
                self._send(PHOTO, 200, {"Content-Encoding": "gzip"})

            def send_large(self) -> None:
                self._send(PHOTO + bytes(10_000))

            def send_endless(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(PHOTO)
                while True:
                    self.wfile.write(bytes(100_000))

            def send_drip(self) -> None:
                self.send_response(200)
                self.end_headers()
                for byte in PHOTO:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.05)

            def send_header_drip(self) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for _ in range(1000):
                    self.wfile.write(b"A: b\r\n")
                    time.sleep(0.05)

            def send_cut(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(PHOTO)

            def send_nonsense(self) -> None:
                self.wfile.write(b"\xff\xd8\xff no HTTP at all\r\n\r\n")

            def _send(self, body: bytes, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> None:
                self.send_response(status)
                for header, value in {"Set-Cookie": "a=b", "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
