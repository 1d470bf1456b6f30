"""Start, restart and stop of nginx and the monitor, with a TorchServe that a test plays."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from resformer.scripts.cli.main import main
from resformer.scripts.torchserve.backend import Backend
from resformer.scripts.torchserve.server import Server
from resformer.scripts.torchserve.server_error import ServerError
from tests.servers import free_ports

WAIT_UNTIL_REACHABLE = Server._wait_until_reachable


class Played:
    """What a played TorchServe does, and how often one was started."""

    starts = 0
    runs = True
    meanwhile: Callable[[], object] | None = None

    def start(self, backend: Backend, archive: Path, java_home: Path | None, workers: int | None = None) -> None:
        self.starts += 1
        backend.folder.mkdir()
        (backend.folder / "tmp").symlink_to(tempfile.mkdtemp(prefix="resformer-"))
        keys = {kind: {"key": f"inner-{kind}"} for kind in ("inference", "management")}
        backend.key_file.write_text(json.dumps(keys))
        (backend.folder / "config.properties").write_text("grpc_inference_port=9\n")
        if self.meanwhile:
            self.meanwhile()

    def pid(self, backend: Backend) -> int | None:
        return os.getpid() if self.runs and (backend.folder / "tmp").exists() else None


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    shared = Played()
    monkeypatch.setattr(Backend, "start", lambda backend, *given: shared.start(backend, *given))
    monkeypatch.setattr(Backend, "pid", property(shared.pid))
    monkeypatch.setattr(Backend, "workers", lambda _: [])
    monkeypatch.setattr("resformer.scripts.torchserve.backend.stop_group", lambda *_: None)
    monkeypatch.setattr(Server, "_wait_until_reachable", lambda _: None)
    return shared


@pytest.fixture
def server(played: Played, tmp_path: Path) -> Iterator[Server]:
    archive = tmp_path / "own.mar"
    archive.write_bytes(b"PK\5\6" + bytes(18))  # an empty zip
    made = Server(free_ports(), tmp_path, archive)
    yield made
    made._end()  # also where a test has broken the stop


def backends(server: Server) -> list[str]:
    return sorted(folder.name for folder in server.folder.glob("backend-*"))


def fail() -> None:
    raise ServerError("the worker failed to load")


def test_a_torchserve_that_ended_is_named(server: Server, played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    server.start()
    played.runs = False
    assert main(["status", "--port", str(server.port), "--root", str(server.root)]) == 1
    said = capsys.readouterr().err
    assert "TorchServe ended" in said and f"`resformer restart --port {server.port}`" in said


def test_a_server_in_the_foreground_that_does_not_become_ready(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "_wait_until_reachable", WAIT_UNTIL_REACHABLE)
    monkeypatch.setattr("resformer.scripts.torchserve.server.REACHABLE_SECONDS", 0.0)
    with pytest.raises(ServerError, match="does not become ready"):
        replace(server, to_console=True).start()


def test_no_server_takes_keys(server: Server) -> None:
    with pytest.raises(ServerError, match=f"nothing is serving on port {server.port}"):
        server.accept_keys()
    assert not server.folder.exists()
