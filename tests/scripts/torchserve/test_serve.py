"""Ports, files and Java, without a server."""

import os
import socket
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.torchserve import capacity, java
from resformer.scripts.torchserve.backend import Backend
from resformer.scripts.torchserve.capacity import check_capacity
from resformer.scripts.torchserve.java import java_home, major_version
from resformer.scripts.torchserve.monitor_process import MODULE as MONITOR
from resformer.scripts.torchserve.processes import wait_until
from resformer.scripts.torchserve.serve import print_status
from resformer.scripts.torchserve.server import PORTS, Server, ServerError
from tests.paths import ROOT
from tests.servers import free_ports


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def check_ports(port: object, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-m", "resformer.scripts.torchserve.check_ports", str(port)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the command where no server is."""
    command = [sys.executable, "-m", "resformer", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("before", [0, 1])
def test_a_busy_port_is_one_clear_sentence_of_plain_python(busy_port: int, before: int) -> None:
    port = busy_port - before
    done = check_ports(port, "-S")
    assert done.returncode == 1
    assert done.stderr.startswith(f"serve: port {busy_port} ({PORTS[before]}) is in use; ")
    assert f"make serve PORT={port + 100}" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["80", "65535", "abc", "-1", ""])
def test_ports_that_do_not_leave_room_are_refused(port: str) -> None:
    done = check_ports(port)
    assert done.returncode == 2
    assert f"port {port} cannot be used; take a number from 1024 to 65531" in done.stderr


def test_without_a_server(tmp_path: Path) -> None:
    server = Server(18080, tmp_path)
    assert server.pid is None
    assert not server.stop()
    with pytest.raises(ServerError, match=r"nothing is serving on port 18080; start it: .*make serve PORT=18080"):
        server.scale(2)


@pytest.mark.parametrize("arguments", [["status"], ["scale", 1]])
def test_commands_without_a_server_fail(arguments: list[object]) -> None:
    done = run(*arguments, "--port", 18080)
    assert done.returncode == 1
    assert done.stderr.startswith("resformer: nothing is serving on port 18080; start it: ")


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"no archive at .*own\.mar; build it"):
        Server(18080, tmp_path, tmp_path / "own.mar").start()
    assert not any(tmp_path.rglob("backend-*"))


def test_a_file_that_is_no_archive_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "own.mar").write_text("no zip file")
    with pytest.raises(ServerError, match=r"own\.mar is no archive"):
        Server(18080, tmp_path, tmp_path / "own.mar").start()
    assert not any(tmp_path.rglob("backend-*"))


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("empty", "")
    return path


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_start_ends_what_a_killed_server_left(tmp_path: Path) -> None:
    server = Server(free_ports(), tmp_path, zipped(tmp_path / "own.mar"))
    server.folder.mkdir(parents=True)
    left = subprocess.Popen([sys.executable, "-c", "input()", MONITOR], stdin=subprocess.PIPE, start_new_session=True)
    (server.folder / "monitor.pid").write_text(f"{left.pid}\n")
    assert wait_until(lambda: "the monitor" not in server.missing_processes(), 10.0)
    with pytest.raises(ServerError, match="ended while starting"):
        server.start(program(tmp_path / "home" / "bin" / "java", "none").parents[1])
    assert not runs(left.pid)
    assert [path.name for path in server.folder.iterdir()] == ["keys"]


def test_an_interrupt_ends_what_the_launcher_has_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java runs for a moment before the launcher has written its number down: here for as long as it takes."""
    launcher = tmp_path / "python"
    launcher.write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {tmp_path}/java.pid\nwait\n")
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))
    waiting = subprocess.Popen.wait

    def interrupted(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        assert wait_until(lambda: (tmp_path / "java.pid").exists(), 10.0)
        monkeypatch.setattr(subprocess.Popen, "wait", waiting)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Backend(tmp_path / "backend-1").start(zipped(tmp_path / "own.mar"), None)
    assert not runs(int((tmp_path / "java.pid").read_text()))
    assert not (tmp_path / "backend-1" / "tmp").exists()


def worker(pid: int) -> dict[str, Any]:
    return {"id": "9000", "status": "READY" if pid > 0 else "LOADING", "pid": pid}


@pytest.mark.parametrize("wanted", [0, -1])
def test_fewer_than_one_worker_is_refused(wanted: int) -> None:
    with pytest.raises(ValueError, match=f"{wanted} workers cannot serve"):
        check_capacity(wanted, [worker(os.getpid())])


@pytest.mark.parametrize(("cores", "gibibytes", "possible"), [(2, 64, 2), (64, 3, 4), (64, 0, 1)])
def test_more_workers_than_the_machine_carries_are_refused(
    monkeypatch: pytest.MonkeyPatch, cores: int, gibibytes: int, possible: int
) -> None:
    monkeypatch.setattr(capacity, "available_cores", lambda: cores)
    monkeypatch.setattr(capacity, "available_bytes", lambda: gibibytes << 30)
    monkeypatch.setattr(capacity, "resident_bytes", lambda pid: 1 << 30)
    check_capacity(possible, [worker(1)])
    with pytest.raises(ValueError, match=f"it has {cores} cores.* {gibibytes}.0 GiB .*scale to {possible} at most"):
        check_capacity(50, [worker(1)])


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("3000\n")
    assert capacity.available_bytes(tmp_path) == 2000
    (tmp_path / "memory.max").write_text("max\n")
    assert capacity.available_bytes(tmp_path) > 2000


class ScalingServer(Server):
    """Refuses every number of workers but one."""

    def _set_workers(self, count: int) -> None:
        requested.append(count)
        if count != 1:
            raise ServerError("they did not come up")

    def workers(self) -> list[dict[str, Any]]:
        return [worker(-1)]


requested: list[int] = []


def test_a_failed_scaling_leaves_as_many_workers_as_before(tmp_path: Path) -> None:
    requested.clear()
    with pytest.raises(ServerError, match="did not come up"):
        ScalingServer(18080, tmp_path).scale(3)
    assert requested == [3, 1]


def test_status_while_the_worker_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not print_status(ScalingServer(18080, tmp_path))
    printed = capsys.readouterr()
    assert "0 of 1 workers ready" in printed.out and "worker 9000: starting its process" in printed.out
    assert "nginx, TorchServe, the monitor ended: stop the server and start it again" in printed.err


def test_make_alone_prints_help() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "make serve [PORT=8080]" in done.stdout


def test_make_scale_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "resformer").write_text("")
    (tmp_path / "resformer").chmod(0o755)
    done = subprocess.run(
        ["make", "scale", f"RESFORMER={tmp_path}/resformer"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "make scale N=2" in done.stdout


def program(path: Path, version: str) -> Path:
    """A `java` that prints this version."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25"', 25),
        ("?", 0),
    ],
)
def test_java_versions(tmp_path: Path, output: str, version: int) -> None:
    assert major_version(str(program(tmp_path / "bin" / "java", output))) == version


def test_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert major_version(str(tmp_path / "java")) == 0


def test_the_machines_java_is_used_where_it_suffices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(program(tmp_path / "bin" / "java", 'version "11.0.2"').parents[1]))
    assert java_home() is None


def test_without_java_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    monkeypatch.setattr(java, "WHEEL", "no_such_wheel_of_java")
    with pytest.raises(ExternalError, match="no Java 11 or later"):
        java_home()


def test_an_old_java_is_replaced_by_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    old = program(tmp_path / "bin" / "java", 'version "1.8.0"')
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    # Stands for the installed wheel.
    (tmp_path / "wheel_of_java.py").write_text('JAVA_HOME = "/from/wheel"\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(java, "WHEEL", "wheel_of_java")
    assert java_home() == Path("/from/wheel")
