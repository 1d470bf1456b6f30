"""nginx in front of a server that a test plays."""

import http.client
import json
import os
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest
import requests

from resformer.scripts.torchserve.access_keys import Keys
from resformer.scripts.torchserve.admission import Admission
from resformer.scripts.torchserve.backend import Backend
from resformer.scripts.torchserve.proxy import Addresses, Proxy
from resformer.scripts.torchserve.server import PORTS
from resformer.scripts.torchserve.server_error import ServerError
from tests.servers import check_reply, free_ports


class PlayedBackend(Backend):
    """A TorchServe whose sockets a test listens at."""

    @property
    def grpc_port(self) -> int:
        return 9

    def key(self, kind: str) -> str:
        return f"inner-{kind}"


class Upstream(BaseHTTPRequestHandler):
    """Says what it got; `slow` in the body waits for `go`."""

    go = Event()
    waiting = 0

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if body.startswith(b"slow"):
            type(self).waiting += 1
            self.go.wait(30)
        seen = {"path": self.path, "bytes": len(body), "headers": dict(self.headers.items())}
        answer = json.dumps(seen).encode()
        self.send_response(422 if body == b"damaged" else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Request-Id", "of TorchServe")
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = answer

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        pass


class UnixServer(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


class Front(NamedTuple):
    """A running proxy."""

    proxy: Proxy
    backend: PlayedBackend
    keys: Keys
    addresses: Addresses
    port: int
    log: socket.socket

    def ask(self, method: str = "PUT", path: str = "/predictions/resformer", offset: int = 0, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.keys.newest('inference')}", **more.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        url = f"http://127.0.0.1:{self.port + offset}{path}"
        reply = requests.request(method, url, headers=headers, timeout=30, **more)
        if reply.status_code >= 400 and reply.status_code != 422:
            assert reply.headers["content-type"] == "application/json"
            check_reply(reply.status_code, reply.json())
            assert reply.json()["code"] == reply.status_code
        return reply


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    backend = PlayedBackend(folder / "backend-1")
    backend.folder.mkdir()
    with tempfile.TemporaryDirectory() as sockets:  # paths of sockets are short
        (backend.folder / "tmp").symlink_to(sockets)
        monitor, log_socket = Path(sockets) / "monitor.sock", Path(sockets) / "requests.sock"
        servers = [UnixServer(str(path), Upstream) for path in (backend.socket("inference"), monitor)]
        servers.append(UnixServer(str(backend.socket("management")), Upstream))
        for server in servers:
            Thread(target=server.serve_forever, daemon=True).start()
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.bind(str(log_socket))
        log.settimeout(10)
        (folder / "proxy").mkdir()
        proxy = Proxy(folder / "proxy", monitor, log_socket, Path(sockets) / "status.sock")
        keys = Keys(folder / "keys")
        keys.create_missing()
        port = free_ports()
        addresses = Addresses(**{name: f"127.0.0.1:{port + i}" for i, name in enumerate(PORTS)})
        proxy.write_keys(keys)
        proxy.write_config(addresses, backend)
        proxy.start()
        yield Front(proxy, backend, keys, addresses, port, log)
        proxy.stop()
        for server in servers:
            server.shutdown()
            server.server_close()
        log.close()


def test_a_request_passes_with_the_inner_key_and_its_own_type_aside(front: Front) -> None:
    kinds = {"Content-Type": "multipart/form-data; boundary=x", "describe": "True", "X-Request-Id": "mine-1"}
    reply = front.ask(data=b"photo", headers=kinds, path="/predictions/resformer/1.0/item_weight")
    seen = reply.json()
    assert (seen["path"], seen["bytes"]) == ("/predictions/resformer/1.0/item_weight", 5)
    assert seen["headers"]["Authorization"] == "Bearer inner-inference"
    assert seen["headers"]["Content-Type"] == "application/octet-stream"
    assert seen["headers"]["X-Content-Type"] == "multipart/form-data; boundary=x"
    assert "describe" not in seen["headers"]
    assert seen["headers"]["X-Request-Id"] == reply.headers["X-Request-Id"] == "mine-1"
    made_up = front.ask(data=b"photo", headers={"X-Request-Id": 'no "id"'})
    assert len(made_up.headers["X-Request-Id"]) == 32
    assert front.ask(data=b"damaged").status_code == 422


def test_large_bodies_and_those_without_a_length_pass(front: Front) -> None:
    logged = front.proxy.error_log.read_text()
    assert front.ask(data=bytes(20_000_000)).json()["bytes"] == 20_000_000
    assert front.proxy.error_log.read_text() == logged
    assert front.ask(data=iter([b"pho", b"to"])).json()["bytes"] == 5


@pytest.mark.parametrize("size", [20_100_001, 60_000_000])
def test_what_is_too_large_is_refused(front: Front, size: int) -> None:
    reply = front.ask(data=bytes(size))
    assert reply.status_code == 413 and "20 MB" in reply.json()["message"]


@pytest.mark.parametrize(
    "query", ["?entity_name=item_weight", "?title=Juice%20500ml", "/1.0?a", "/1.0/width?top_k=2", "?entity_name=a&b=c"]
)
def test_query_strings_are_refused(front: Front, query: str) -> None:
    reply = front.ask(path=f"/predictions/resformer{query}", data=b"photo")
    assert reply.status_code == 400 and "X-Entity-Name" in reply.json()["message"]


WRONG = [None, "", "Bearer", "Bearer wrong", "Basic YTpi", "bearer {}", "Bearer {} ", "Bearer {}x", "Bearer  {}", "{}"]


@pytest.mark.parametrize("given", [*WRONG, "Bearer {upper}", "Bearer {management}", "Bearer inner-inference"])
def test_no_other_key_is_let_in(front: Front, given: str | None) -> None:
    key = front.keys.newest("inference")
    named = {"upper": key.upper(), "management": front.keys.newest("management")}
    value = given and given.format(key, **named).rstrip() + ("" if not given.endswith(" ") else "\t.")
    for path in ("/predictions/resformer", "/predictions/resformer/1.0", "/ping", "/", "/models", "/predictions/other"):
        for method in ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD"):
            reply = requests.request(
                method, f"http://127.0.0.1:{front.port}{path}", headers={"Authorization": value}, data=b"x", timeout=30
            )
            assert reply.status_code == 401, (method, path)
            assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_key_is_refused_before_the_body_is_read(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=30)
    connection.putrequest("PUT", "/predictions/resformer")
    connection.putheader("Authorization", "Bearer wrong")
    connection.putheader("Content-Length", "20000000")
    connection.endheaders()  # and nothing of the body
    assert connection.getresponse().status == 401
    connection.close()
    assert not any(file.is_file() for file in (front.proxy.folder / "bodies").rglob("*"))


def test_each_port_has_its_own_key_and_paths(front: Front) -> None:
    def status(offset: int, path: str, kind: str | None, method: str = "GET") -> int:
        header = {"Authorization": f"Bearer {front.keys.newest(kind)}" if kind else None}
        return int(front.ask(method, path, offset, headers=header).status_code)

    management, metrics, probes = (PORTS.index(name) for name in ("management", "metrics", "probes"))
    assert status(management, "/models/resformer", "management") == 200
    assert front.ask(
        "PUT", "/models/resformer?min_worker=2", management,
        headers={"Authorization": f"Bearer {front.keys.newest('management')}"},
    ).json()["path"] == "/models/resformer?min_worker=2"  # fmt: skip
    assert status(management, "/models/resformer", "management", "DELETE") == 405
    assert status(management, "/models", "management", "POST") == 404
    assert status(management, "/models/resformer", "inference") == 401
    assert status(metrics, "/metrics", "metrics") == 200
    assert status(metrics, "/metrics", "inference") == 401
    assert status(metrics, "/metrics", None) == 401
    assert status(probes, "/live", None) == status(probes, "/ready", None) == 200
    assert status(probes, "/metrics", None) == 404
    assert status(0, "/ping", "inference") == 200
    assert status(0, "/predictions/other", "inference") == 404
    assert status(0, "/predictions/resformer", "inference") == 405


@pytest.mark.parametrize(
    ("port", "path", "kind", "allowed"),
    [
        ("predictions", "/predictions/resformer", "inference", "POST, PUT"),
        ("predictions", "/predictions/resformer/1.0/width", "inference", "POST, PUT"),
        ("predictions", "/ping", "inference", "GET"),
        ("management", "/models/resformer", "management", "GET, PUT"),
        ("metrics", "/metrics", "metrics", "GET"),
        ("probes", "/live", "inference", "GET"),
        ("probes", "/ready", "inference", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(front: Front, port: str, path: str, kind: str, allowed: str) -> None:
    header = {"Authorization": f"Bearer {front.keys.newest(kind)}"}
    reply = front.ask("DELETE", path, PORTS.index(port), headers=header)
    assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)
    assert reply.json()["code"] == 405 and reply.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "raw",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /predictions/resformer HTTP/1.1\r\n\r\n",
        b"PUT /predictions/resformer HTTP/1.1\r\nHost: x\r\nX: " + 40_000 * b"a" + b"\r\n\r\n",
        b"PUT /predictions/resformer HTTP/1.1\r\nContent-Length: 5\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"0\r\n\r\n",
        b"PUT /predictions/resformer HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nphoto",
        b"PUT /" + 40_000 * b"a" + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_malformed_http_is_refused_in_json(front: Front, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", front.port), timeout=30) as connection:
        connection.sendall(raw)
        reply = b""
        while part := connection.recv(65536):
            reply += part
    head, _, body = reply.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert 400 <= status < 500
    if body:
        assert json.loads(body)["code"] == status


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?min_worker=2&max_worker=2&synchronous=true", 200),
        ("?min_worker=-1", 400),
        ("?min_worker=0", 400),
        ("?min_worker=abc", 400),
        ("?min_worker=99999999999", 400),
        ("?min_worker=2&url=http://127.0.0.1/", 400),
        ("", 400),
    ],
)
def test_workers_are_set_to_a_number(front: Front, query: str, expected: int) -> None:
    header = {"Authorization": f"Bearer {front.keys.newest('management')}"}
    reply = front.ask("PUT", f"/models/resformer{query}", PORTS.index("management"), headers=header)
    assert reply.status_code == expected
    assert expected == 200 or "min_worker=N" in reply.json()["message"]


@pytest.mark.parametrize(("length", "expected"), [(6_500, 200), (8_000, 431)])
def test_headers_are_as_long_as_torchserve_takes(front: Front, length: int, expected: int) -> None:
    assert front.ask(headers={"X-Description": length * "a"}, data=b"photo").status_code == expected


def test_a_refused_head_may_still_be_sent(front: Front) -> None:
    """No connection is reset while the caller sends on, who could then not read why it was refused."""
    head = b"PUT /" + 40_000 * b"a" + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    rng = random.Random(0)

    def send(cut: int, pause: float) -> bytes:
        with socket.create_connection(("127.0.0.1", front.port), timeout=30) as connection:
            connection.sendall(head[:cut])
            time.sleep(pause)
            connection.sendall(head[cut:])
            return b"".join(iter(lambda: connection.recv(65536), b""))

    # A reset takes the rest of a head to come in the moment in which nginx closes: one in some hundreds.
    moments = [(rng.randrange(31_000, len(head)), rng.uniform(0, 0.002)) for _ in range(1500)]
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda moment: send(*moment), moments))
    assert {reply[:13] for reply in replies} == {b"HTTP/1.1 414 "}


def test_no_more_requests_are_passed_than_memory_allows(front: Front) -> None:
    """Small and large bodies have their own limits, so that neither crowds out the other."""
    admission = Admission.for_this_machine()
    Upstream.go.clear()
    Upstream.waiting = 0
    with ThreadPoolExecutor(admission.small + admission.large) as pool:
        small = [pool.submit(front.ask, data=b"slow") for _ in range(admission.small)]
        large = [pool.submit(front.ask, data=b"slow" + bytes(3_000_000)) for _ in range(admission.large)]
        deadline = time.monotonic() + 60
        while Upstream.waiting < admission.small + admission.large:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for body in (b"photo", bytes(3_000_000)):
            refused = front.ask(data=body)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert "overloaded" in refused.json()["message"]
        Upstream.go.set()
        assert all(reply.result().status_code == 200 for reply in [*small, *large])
    assert front.ask(data=b"photo").status_code == 200


def test_a_server_that_is_down_is_an_answer(front: Front) -> None:
    path = front.backend.socket("inference")
    path.rename(path.with_suffix(".gone"))
    try:
        reply = front.ask(data=b"photo")
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
        assert "does not answer" in reply.json()["message"]
    finally:
        path.with_suffix(".gone").rename(path)


def test_keys_are_rotated_while_it_runs(front: Front) -> None:
    first = front.keys.newest("inference")
    old = {"Authorization": f"Bearer {first}"}

    def accept() -> None:
        before = front.proxy.workers()
        front.proxy.write_keys(front.keys)
        front.proxy.reload()
        deadline = time.monotonic() + 30
        while front.proxy.workers() & before:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    front.keys.rotate("inference")
    assert front.ask(data=b"photo").status_code == 401
    accept()
    assert front.ask(data=b"photo").status_code == front.ask(data=b"photo", headers=old).status_code == 200
    front.keys.retire("inference")
    accept()
    assert front.ask(data=b"photo").status_code == 200
    assert front.ask(data=b"photo", headers=old).status_code == 401
    front.keys.file("inference").write_text("too short\n")
    with pytest.raises(ServerError, match=r"line 1 of the key file .* is no key"):
        front.proxy.write_keys(front.keys)
    front.keys.file("inference").unlink()
    front.keys.create_missing()
    accept()


def test_each_request_is_logged_without_its_key(front: Front) -> None:
    front.log.settimeout(0.2)
    try:
        while front.log.recv(65536):
            pass
    except TimeoutError:
        front.log.settimeout(10)
    reply = front.ask("GET", "/nothing", headers={"Authorization": "Bearer wrong", "User-Agent": 'a "b"\\\n'.strip()})
    logged = json.loads(front.log.recv(65536).decode().partition(": ")[2])
    assert logged == {**logged, "id": reply.headers["X-Request-Id"], "status": "401", "path": "/nothing", "caller": ""}
    assert float(logged["seconds"]) >= 0 and logged["agent"] == 'a "b"\\'
    last = json.loads(front.proxy.access_log.read_text().splitlines()[-1])
    assert last == logged


def test_only_its_user_reads_keys_and_configuration(front: Front) -> None:
    private = [
        front.proxy.folder / "nginx.conf",
        *(front.proxy.folder / "keys").iterdir(),
        *front.keys.folder.iterdir(),
    ]
    assert len(private) == 7
    assert all(os.stat(file).st_mode & 0o077 == 0 for file in private)


def test_nginx_runs_as_who_started_it_whatever_the_environment_says(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    replace(front.proxy, folder=tmp_path).write_config(front.addresses, front.backend)
    assert "\nuser root;\n" in (tmp_path / "nginx.conf").read_text()
