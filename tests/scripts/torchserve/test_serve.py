"""Ports, files and Java, without a server."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resformer.scripts.torchserve import java
from resformer.scripts.torchserve.java import java_home, major_version
from resformer.scripts.torchserve.server import PORTS, Server, ServerError
from tests.paths import ROOT


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "resformer.scripts.torchserve.serve", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("before", [0, 1])
def test_a_busy_port_is_one_clear_sentence(busy_port: int, before: int) -> None:
    port = busy_port - before
    done = serve("check", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"serve: port {busy_port} ({PORTS[before]}) is in use; ")
    assert "make serve PORT=" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_check_needs_nothing_but_python(busy_port: int) -> None:
    command = [sys.executable, "-S", "-m", "resformer.scripts.torchserve.serve", "check", "--port", str(busy_port)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "is in use" in done.stderr


@pytest.mark.parametrize("port", ["80", "65535"])
def test_ports_that_do_not_leave_room_are_refused(port: str) -> None:
    assert f"port {port} cannot be used" in serve("check", "--port", port).stderr


def test_without_a_server(tmp_path: Path) -> None:
    server = Server(18080, tmp_path)
    assert server.pid is None
    assert not server.stop()
    with pytest.raises(ServerError, match="nothing is serving on port 18080; start it: make serve PORT=18080"):
        server.scale(2)


def test_scale_says_what_is_missing() -> None:
    assert "make scale N=2" in serve("scale").stderr


def program(path: Path, version: str) -> Path:
    """A `java` that says it is of this version."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25"', 25),
        ("?", 0),
    ],
)
def test_java_versions(tmp_path: Path, said: str, version: int) -> None:
    assert major_version(str(program(tmp_path / "bin" / "java", said))) == version


def test_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert major_version(str(tmp_path / "java")) == 0


def test_the_machines_java_is_used_where_it_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(program(tmp_path / "bin" / "java", 'version "11.0.2"').parents[1]))
    assert java_home() is None


def test_an_old_java_is_replaced_by_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    old = program(tmp_path / "bin" / "java", 'version "1.8.0"')
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    # Stands for the installed wheel.
    (tmp_path / "wheel_of_java.py").write_text('JAVA_HOME = "/from/wheel"\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(java, "WHEEL", "wheel_of_java")
    assert java_home() == Path("/from/wheel")
