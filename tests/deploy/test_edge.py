"""The edge of deploy/nginx: TLS, limits and other servers, by nginx as compose.yaml runs it."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType

import pytest
import requests

from tests.paths import ROOT
from tests.servers import check_reply, free_ports

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
OPENSSL = shutil.which("openssl")

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed"),
]
HOST = "resformer.example.com"


class Upstream(BaseHTTPRequestHandler):
    """Answers with what it got, or with the status of its server."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"bytes": len(body), "headers": {k.lower(): v for k, v in self.headers.items()}})

    def do_GET(self) -> None:
        self._answer({"ready": True})

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, answer: object) -> None:
        status = self.server.status  # type: ignore[attr-defined]
        self.send_response(status)
        body = json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)


@dataclass
class Edge:
    """A running edge in front of two servers."""

    port: int
    session: requests.Session
    servers: list[ThreadingHTTPServer]
    folder: Path

    def put(
        self,
        path: str = "/predictions/resformer",
        body: bytes = b"photo",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> requests.Response:
        return self.session.put(f"https://{HOST}:{self.port}{path}", body, headers=headers, timeout=30)

    def logged(self, request_id: str) -> dict[str, str]:
        """The line of the access log about a request, which comes after the answer."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for line in map(json.loads, (self.folder / "access.log").read_text().splitlines()):
                if line["id"] == request_id:
                    return dict(line)
            time.sleep(0.05)
        raise AssertionError("the request is not in the access log")

    def statuses(self, *values: int) -> None:
        for server, value in zip(self.servers, values, strict=True):
            server.status = value  # type: ignore[attr-defined]


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    assert NGINX and OPENSSL
    certificate = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "2", "-nodes"]
    files = ["-keyout", str(tmp_path / "tls.key"), "-out", str(tmp_path / "tls.crt")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run([OPENSSL, "req", "-x509", *kind, *certificate, *files], check=True, capture_output=True)
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Upstream) for _ in range(2)]
    for server in servers:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    port = free_ports()
    first, second = (f"127.0.0.1:{server.server_port}" for server in servers)
    text = (ROOT / "deploy" / "nginx" / "edge.conf").read_text()
    for old, new in (
        ("server resformer:8080 max_fails", f"server {second} max_fails=2 fail_timeout=5s; server {first} max_fails"),
        ("server resformer:8084;", f"server {first};"),
        ("listen 80;", f"listen 127.0.0.1:{port + 1};"),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("/etc/nginx/tls/", f"{tmp_path}/"),
        ("/dev/stdout", "access.log"),
    ):
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    (tmp_path / "edge.conf").write_text(text)
    shutil.copy(ROOT / "deploy" / "nginx" / "nginx.conf", tmp_path)
    # With the privileges that the test has: root's nginx would work as nobody, who cannot enter this folder.
    process = subprocess.Popen(
        [NGINX, "-p", f"{tmp_path}/", "-e", "stderr", "-c", str(tmp_path / "nginx.conf"), "-g", "user root;"]
    )
    session = requests.Session()
    session.trust_env = False
    session.verify = str(tmp_path / "tls.crt")
    _resolve_to_loopback(monkeypatch)
    edge = Edge(port, session, servers, tmp_path)
    edge.statuses(200, 200)
    _wait_until_it_listens(edge, process)
    yield edge
    process.terminate()
    process.wait(10)
    for server in servers:
        server.shutdown()
        server.server_close()


def _resolve_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *arguments: object, **options: object) -> object:
        return real("127.0.0.1" if host == HOST else host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def _wait_until_it_listens(edge: Edge, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        assert process.poll() is None, "nginx ended"
        try:
            edge.session.get(f"https://{HOST}:{edge.port}/ready", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("nginx does not listen")


def test_requests_pass_by_tls(edge: Edge) -> None:
    reply = edge.put(headers={"Authorization": "Bearer key", "X-Request-Id": "mine-1"})
    got = reply.json()["headers"]
    assert (reply.status_code, reply.json()["bytes"]) == (200, 5)
    assert (got["authorization"], got["x-request-id"], got["x-forwarded-proto"]) == ("Bearer key", "mine-1", "https")
    assert reply.headers["X-Request-Id"] == "mine-1"
    assert "max-age" in reply.headers["Strict-Transport-Security"]
    line = edge.logged("mine-1")
    assert (line["status"], line["path"]) == ("200", "/predictions/resformer")
    assert edge.put(body=bytes(20_000_000)).json()["bytes"] == 20_000_000


def test_ids_that_are_no_plain_ones_are_replaced(edge: Edge) -> None:
    reply = edge.put(headers={"X-Request-Id": 'a" b'})
    assert len(reply.headers["X-Request-Id"]) == 32
    assert reply.json()["headers"]["x-request-id"] == reply.headers["X-Request-Id"]


def test_plain_http_is_sent_to_tls(edge: Edge) -> None:
    url = f"http://{HOST}:{edge.port + 1}/predictions/resformer"
    reply = edge.session.get(url, timeout=5, allow_redirects=False)
    assert (reply.status_code, reply.headers["Location"]) == (308, f"https://{HOST}/predictions/resformer")


def test_refusals_are_json(edge: Edge) -> None:
    for reply, status in ((edge.put("/models"), 404), (edge.put(body=bytes(20_100_001)), 413)):
        assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/json")
        check_reply(status, reply.json())


@pytest.mark.parametrize("status", [502, 503])
def test_another_server_is_asked_where_one_cannot(edge: Edge, status: int) -> None:
    edge.statuses(200, status)
    assert [edge.put().status_code for _ in range(6)] == [200] * 6


def test_where_no_server_answers_that_is_said(edge: Edge) -> None:
    edge.statuses(503, 503)
    overloaded = edge.put()
    assert (overloaded.status_code, overloaded.headers["Retry-After"]) == (503, "7")
    for server in edge.servers:
        server.shutdown()
        server.server_close()
    reply = edge.put()
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    check_reply(503, reply.json())


def test_too_many_requests_from_one_address_are_refused(edge: Edge) -> None:
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: edge.put(), range(400)))
    refused = [reply for reply in replies if reply.status_code == 429]
    assert refused and sum(reply.status_code == 200 for reply in replies) >= 100
    assert refused[0].headers["Retry-After"] == "1"
    check_reply(429, refused[0].json())
