"""The monitor as a process: its sockets, its end, and callers that do not behave."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resformer.scripts.lib.unix_http import exchange
from tests.paths import ROOT
from tests.scripts.monitor.fake_torchserve import FakeTorchServe

COMMAND = [sys.executable, "-m", "resformer.scripts.monitor"]


@pytest.fixture
def process(folder: Path, torchserve: FakeTorchServe) -> Iterator[subprocess.Popen[str]]:
    (folder / "monitor.sock").touch()  # left by an earlier one
    command = [*COMMAND, "--folder", str(folder), "--access-log", str(folder / "access.sock"), "--poll-seconds", "0.1"]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not _answers(folder) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    yield running
    running.kill()
    running.communicate()


def _answers(folder: Path) -> bool:
    try:
        return exchange(folder / "monitor.sock", "GET", "/live", timeout=5)[0] == 200
    except OSError:
        return False


def test_it_answers_counts_and_ends(folder: Path, process: subprocess.Popen[str], torchserve: FakeTorchServe) -> None:
    listen = folder / "monitor.sock"
    assert exchange(listen, "GET", "/ready", timeout=5)[0] == 200
    assert exchange(listen, "GET", "/secret", timeout=5)[0] == 404
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.connect(str(folder / "access.sock"))
        for path in ("/predictions/resformer", *(f"/{number}" for number in range(50))):
            log.send(b'<190>x: {"status":"200","path":"%s","seconds":"0.1","bytes_in":"9"}' % path.encode())
    silent = [socket.socket(socket.AF_UNIX) for _ in range(8)]  # callers that connect and say nothing
    for caller in silent:
        caller.connect(str(listen))
    deadline = time.monotonic() + 20
    while (counted := _requests(listen)) < 51 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert counted == 51
    text = exchange(listen, "GET", "/metrics", timeout=5)[1].decode()
    assert 'resformer_http_requests_total{route="other",status="200"} 50.0' in text
    assert "Requests2XX 4.0" in text
    for caller in silent:
        caller.close()
    torchserve.close()
    while exchange(listen, "GET", "/ready", timeout=5)[0] == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert exchange(listen, "GET", "/ready", timeout=5)[0] == 503
    process.send_signal(signal.SIGTERM)
    _, log_text = process.communicate(timeout=20)
    assert process.returncode == 0
    assert not listen.exists() and not (folder / "access.sock").exists()
    # One line for the server that went away, however often it was asked.
    assert len(log_text.splitlines()) == 1 and "does not answer" in log_text


def _requests(listen: Path) -> float:
    text = exchange(listen, "GET", "/metrics", timeout=5)[1].decode()
    return sum(map(float, re.findall(r"^resformer_http_requests_total\{.*\} (.+)$", text, re.MULTILINE)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--folder", "/no/such/folder"], "is no folder"),
        (["--folder", "/tmp", "--keys", "/tmp"], "--keys needs --reload"),
        (["--folder", "/tmp", "--poll-seconds", "0"], "must be 0.1 to 60"),
        (["--folder", "/tmp", "--listen", "/tmp/" + "x" * 120], "below 108 bytes"),
    ],
)
def test_what_cannot_be_watched_is_an_error(arguments: list[str], message: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.returncode != 0 and message in done.stderr
