"""Restarts that fail, are interrupted or killed: the server before serves on, nothing is left, the next one works."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from resformer.scripts.torchserve import backend as backend_module
from resformer.scripts.torchserve import server as server_module
from resformer.scripts.torchserve.archive_form import CONFIG, ENTRY, write_archive
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.processes import wait_until
from resformer.scripts.torchserve.server import Server, ServerError
from tests.paths import ROOT
from tests.safety.load import Load

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

# A variable that TorchServe and its workers inherit: by it they are found, whatever their parent is by now.
SIGN = "LC_RESTARTED_BY"


def command(server: Server, archive: Path | None = None) -> list[str]:
    options = ["--port", str(server.port), "--root", str(server.root), "--archive", str(archive or server.archive)]
    return [sys.executable, "-m", "resformer", "restart", *options]


def begin(server: Server, sign: str = "") -> "subprocess.Popen[str]":
    """A restart in a process of its own, which SIGINT reaches as in a terminal."""
    return subprocess.Popen(
        command(server),
        cwd=ROOT,
        env={**os.environ, SIGN: sign},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def processes(sign: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(SIGN) == sign and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def backends(server: Server) -> list[str]:
    return sorted(folder.name for folder in server.folder.glob("backend-*"))


def changed(server: Server, name: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of the archive, in order but for what one of its files does."""
    with zipfile.ZipFile(server.archive) as old:
        files = {entry: old.read(entry) for entry in old.namelist()}
    new = change(files[name])
    assert new != files[name]
    path = server.root / "changed.mar"
    write_archive(path, {**files, name: new})
    return path


class Unharmed:
    """A server and its processes before a restart; afterwards they must be the same, and others must have ended."""

    def __init__(self, server: Server, load: Load, sign: str) -> None:
        self.server, self.load, self.sign = server, load, sign
        self.before = (server.processes(), backends(server), server._state_file.read_text())

    def check(self) -> None:
        server = self.server
        assert (server.processes(), backends(server), server._state_file.read_text()) == self.before
        assert processes(self.sign) == []
        assert self.load.wrong(errors=False) == [] and self.load.is_right(self.load.target.ordinary()[0])


@pytest.fixture
def unharmed(server: Server, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unharmed:
    sign = tmp_path.name
    monkeypatch.setenv(SIGN, sign)
    return Unharmed(server, load, sign)


@pytest.mark.faults
def test_a_worker_that_cannot_load(server: Server, load: Load, unharmed: Unharmed) -> None:
    workers = server.proxy.workers()
    bad = changed(server, CONFIG, lambda text: text.replace(b"reader: crops", b"reader: glasses"))
    with load.of(1):
        done = subprocess.run(command(server, bad), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("resformer: the worker failed to load.\n")
    assert "reader is 'glasses'" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("The server before serves on. ") and f"`resformer restart --port {server.port}`" in last
    unharmed.check()
    assert server.proxy.workers() == workers
    # A lock of the failed one does not stay.
    subprocess.run(command(server), cwd=ROOT, check=True)
    assert server.pid != unharmed.before[0]["TorchServe"]
    assert backends(server) == [server.backend.folder.name]
    assert load.is_right(load.target.ordinary()[0])


@pytest.mark.faults
def test_a_worker_that_never_gets_ready(server: Server, unharmed: Unharmed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "START_SECONDS", 10.0)
    endless = changed(server, ENTRY, lambda code: b"import time\n\ntime.sleep(1000)\n" + code)
    with pytest.raises(ServerError, match=r"no worker was ready after 10 s(.|\n)*The server before serves on"):
        Server(server.port, server.root, endless).restart(java_home())
    unharmed.check()


def test_a_torchserve_that_ends_at_once(server: Server, unharmed: Unharmed, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho no memory for this\nexit 3\n")
    java.chmod(0o755)
    with pytest.raises(ServerError, match=r"ended while starting(.|\n)*no memory for this(.|\n)*serves on"):
        server.restart(tmp_path)
    unharmed.check()


@pytest.mark.faults
def test_an_nginx_that_stays_with_its_configuration(
    server: Server, load: Load, unharmed: Unharmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first process cannot open the new one, which a check of the file by another process does not find out."""
    monkeypatch.setattr(server_module, "TAKEOVER_SECONDS", 2.0)
    assert server.proxy.pid is not None
    files = resource.prlimit(server.proxy.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.proxy.pid, resource.RLIMIT_NOFILE, (3, files[1]))
    try:
        with load.of(1), pytest.raises(ServerError, match=r"does not take over .*error\.log(.|\n)*serves on"):
            server.restart(java_home())
    finally:
        resource.prlimit(server.proxy.pid, resource.RLIMIT_NOFILE, files)
    unharmed.check()
    with load.of(1):
        server.restart(java_home())
    assert load.wrong(errors=False) == []
    assert backends(server) == [server.backend.folder.name] and server.missing_processes() == []


@pytest.mark.faults
def test_an_nginx_that_refuses_its_configuration(server: Server, unharmed: Unharmed) -> None:
    keys = server.proxy.folder / "keys" / "metrics.conf"
    accepted = keys.read_text()
    keys.write_text("no list of keys")
    try:
        with pytest.raises(ServerError, match=r"nginx refuses its new configuration: .*metrics(.|\n)*serves on"):
            server.restart(java_home())
    finally:
        keys.write_text(accepted)
    unharmed.check()


@pytest.mark.faults
def test_a_takeover_that_cannot_be_noted_is_taken_back(
    server: Server, load: Load, unharmed: Unharmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Server, "_write_state", full)
    with load.of(1), pytest.raises(OSError, match="No space left"):
        server.restart(java_home())
    unharmed.check()


@pytest.mark.parametrize(("sent", "loads"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_an_interrupt_before_the_takeover(
    server: Server, unharmed: Unharmed, sent: signal.Signals, loads: bool
) -> None:
    """Also a second one, of somebody in a hurry."""
    restart = begin(server, unharmed.sign)

    def has_begun() -> bool:
        assert restart.poll() is None
        after = [folder for folder in server.folder.glob("backend-*") if folder.name not in unharmed.before[1]]
        return any((folder / "tmp" / ".model_server.pid").exists() if loads else folder.exists() for folder in after)

    assert wait_until(has_begun, 30.0)
    restart.send_signal(sent)
    time.sleep(0.02)
    restart.send_signal(sent)
    _, errors = restart.communicate(timeout=120)
    assert restart.returncode == 128 + sent
    assert "Traceback" not in errors
    unharmed.check()


@pytest.mark.faults
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupt_after_the_takeover(server: Server, load: Load, sent: signal.Signals) -> None:
    """It is ignored: the first TorchServe still has a request, which gets its answer."""
    before, state = backends(server), server._state_file.read_text()
    begun, request, sent_bytes = load.target.connect(), load.target.request(), 1000
    begun.send(request[:sent_bytes])
    restart = begin(server)

    def has_taken_over() -> bool:
        nonlocal sent_bytes
        begun.send(request[sent_bytes : sent_bytes + 1])  # nginx waits ten seconds for a byte, not longer
        sent_bytes += 1
        return server._state_file.read_text() != state

    assert wait_until(has_taken_over, 120.0)
    for _ in range(3):
        restart.send_signal(sent)
        time.sleep(0.2)
    assert restart.poll() is None and set(before) < set(backends(server))
    begun.send(request[sent_bytes:])
    assert load.is_right(begun.answer())
    begun.close()
    output, errors = restart.communicate(timeout=120)
    assert (restart.returncode, errors) == (0, "")
    assert "took over after" in output
    assert backends(server) == [json.loads(server._state_file.read_text())["backend"]] != before
    assert load.is_right(load.target.ordinary()[0])


@pytest.mark.faults
@pytest.mark.parametrize("then", ["restart", "stop"])
def test_a_killed_restart(server: Server, load: Load, then: str, tmp_path: Path) -> None:
    """Killed when nginx passes on to the second TorchServe and nothing says so yet: the hardest moment."""
    sign, config = tmp_path.name, server.proxy.folder / "nginx.conf"
    passes_on = config.read_text()
    killed = begin(server, sign)
    assert wait_until(lambda: config.read_text() != passes_on, 120.0)
    killed.kill()
    killed.communicate()
    assert processes(sign) != []
    assert load.is_right(load.target.ordinary()[0])
    if then == "restart":
        with load.of(1):
            subprocess.run(command(server), cwd=ROOT, check=True)
        assert load.wrong(errors=False) == []
        assert backends(server) == [server.backend.folder.name] and server.missing_processes() == []
    else:
        assert server.stop()
        assert [path.name for path in server.folder.iterdir()] == ["keys"]
    assert processes(sign) == []


@pytest.mark.faults
def test_two_restarts_at_once(server: Server, load: Load) -> None:
    first = begin(server)
    before = backends(server)
    assert wait_until(lambda: backends(server) != before, 30.0)
    second = subprocess.run(command(server), cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr == (
        f"resformer: another command starts or restarts the server on port {server.port}; wait for its end\n"
    )
    _, errors = first.communicate(timeout=120)
    assert (first.returncode, errors) == (0, "")
    assert backends(server) != before and load.is_right(load.target.ordinary()[0])
