"""The proxy of deploy/nginx.conf answers in JSON what TorchServe drops. Runs where nginx is installed."""

import getpass
import shutil
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from tests.paths import ROOT
from tests.servers import check_reply, free_ports

NGINX = shutil.which("nginx")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class Upstream(BaseHTTPRequestHandler):
    """Answers with the length of the body that it got."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(len(body)).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("nginx")
    port = free_ports()
    upstream = HTTPServer(("127.0.0.1", 0), Upstream)
    Thread(target=upstream.serve_forever, daemon=True).start()
    lines = [
        line for line in (ROOT / "deploy" / "nginx.conf").read_text().splitlines() if "ssl_certificate" not in line
    ]
    server = "\n".join(lines).replace("443 ssl", f"127.0.0.1:{port}").replace("8080", str(upstream.server_port))
    (folder / "nginx.conf").write_text(_main(folder, server))
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"])
    url = f"http://127.0.0.1:{port}/predictions/resformer"
    for _ in range(50):
        try:
            requests.post(url, timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(10)
    upstream.shutdown()
    upstream.server_close()


def _main(folder: Path, server: str) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    main = f"user {getpass.getuser()}; daemon off; pid nginx.pid; error_log stderr; events {{}}"
    return f"{main}\nhttp {{ access_log off; {paths}\n{server}\n}}"


def test_requests_pass(proxy: str) -> None:
    for size in (5, 20_000_000):
        assert requests.post(proxy, bytes(size), timeout=30).text == str(size)
    assert requests.post(f"{proxy}/1.0/item_weight", b"photo", timeout=30).text == "5"


@pytest.mark.parametrize(
    "query", ["?entity_name=item_weight", "?title=Juice%20500ml", "/1.0?a", "/1.0/width?top_k=2", "?entity_name=a&b=c"]
)
def test_query_strings_are_refused(proxy: str, query: str) -> None:
    reply = requests.post(proxy + query, b"photo", timeout=30)
    assert reply.status_code == 400
    check_reply(400, reply.json())
    assert "X-Entity-Name" in reply.json()["message"]


@pytest.mark.parametrize("size", [20_100_001, 60_000_000])
def test_large_bodies_have_an_answer(proxy: str, size: int) -> None:
    reply = requests.post(proxy, bytes(size), timeout=30)
    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/json")
    check_reply(413, reply.json())
    assert "20 MB" in reply.json()["message"]
