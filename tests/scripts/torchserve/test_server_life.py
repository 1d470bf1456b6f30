"""Start, restart and stop of nginx and the monitor, with a TorchServe that a test plays."""

import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from resformer.scripts.cli.main import main
from resformer.scripts.torchserve.backend import Backend
from resformer.scripts.torchserve.processes import is_running, wait_until
from resformer.scripts.torchserve.proxy import FOLDERS, Proxy
from resformer.scripts.torchserve.serve import run, start
from resformer.scripts.torchserve.server import Server
from resformer.scripts.torchserve.server_error import ServerError
from tests.scripts.test_verify_archive import ANSWERS, small
from tests.servers import free_ports

WAIT_UNTIL_REACHABLE = Server._wait_until_reachable


class Played:
    """What a played TorchServe does, how often one was started, and how the last one."""

    starts = 0
    archive = Path()
    to_console = False
    runs = True
    meanwhile: Callable[[], object] | None = None

    def start(self, backend: Backend, archive: Path, java_home: Path | None, workers: int | None = None) -> None:
        self.starts += 1
        self.archive, self.to_console = archive, backend.to_console
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
    made = Server(free_ports(), tmp_path, small(tmp_path / "own.mar", ANSWERS))
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


def test_what_a_killed_server_left_is_removed(server: Server, played: Played) -> None:
    server.start()
    left = [link.resolve() for link in (*server.folder.glob("backend-*/tmp"), server.folder / "run")]
    monitor = server.processes()["the monitor"]
    assert len(left) == 2 and monitor is not None
    server.proxy.stop()
    played.runs = False
    server.start()
    assert not any(folder.exists() for folder in left)
    assert not is_running(monitor, "monitor")


def test_only_its_user_looks_into_the_folder(server: Server) -> None:
    server.folder.mkdir(parents=True, mode=0o755)  # of an earlier version
    server.start()
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700


def test_a_restart_takes_over_and_ends_all_others(server: Server) -> None:
    server.start()
    (server.folder / "backend-2").mkdir()  # of a restart that was killed
    server.restart()
    assert server.backend.folder.name == "backend-3" and backends(server) == ["backend-3"]
    assert str(server.backend.socket("inference")) in (server.proxy.folder / "nginx.conf").read_text()


def test_a_restart_serves_the_same_file_and_asks_for_its_signature(
    server: Server, played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    own, key = small(server.root / "own.mar", ANSWERS), server.root / "own.key"
    where = ["--port", str(server.port), "--root", str(server.root)]
    assert main(["keypair", str(key), "--no-password"]) == 0
    assert main(["sign", str(own), "--secret-key", str(key)]) == 0
    replace(server, public_key=Path(f"{key}.pub")).start()
    assert main(["restart", *where]) == 0
    assert (played.starts, played.archive) == (2, own)
    small(own, "changed = True\n")
    assert main(["restart", *where]) == 1
    assert "own.mar is refused" in capsys.readouterr().err
    assert played.starts == 2


def test_another_commands_output_is_not_the_servers(server: Server, played: Played) -> None:
    """Whoever waits for the end of that output, as `kubectl exec` does, would wait for ever."""
    replace(server, to_console=True).start()
    assert played.to_console
    server.restart()
    assert not played.to_console


def test_a_restart_that_fails_changes_nothing(server: Server, played: Played) -> None:
    server.start()
    config = (server.proxy.folder / "nginx.conf").read_text()
    played.meanwhile = fail
    with pytest.raises(ServerError, match="failed to load"):
        server.restart()
    assert backends(server) == ["backend-1"]
    assert (server.proxy.folder / "nginx.conf").read_text() == config


def test_a_stop_during_a_restart_ends_both(server: Server, played: Played) -> None:
    def meanwhile() -> None:
        server.stop()
        fail()

    server.start()
    played.meanwhile = meanwhile
    with pytest.raises(ServerError, match="failed to load"):
        server.restart()
    assert server.missing_processes() == ["nginx", "TorchServe", "the monitor"]
    assert [path.name for path in server.folder.iterdir()] == ["keys"]


def test_a_restart_on_a_full_disk_leaves_no_second_torchserve(
    server: Server, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    server.start()
    monkeypatch.setattr(Proxy, "write_config", refuse)
    with pytest.raises(OSError, match="No space left"):
        server.restart()
    assert backends(server) == ["backend-1"]


@pytest.mark.parametrize("second", [Server.start, Server.restart])
def test_commands_exclude_each_other(server: Server, played: Played, second: Callable[[Server], None]) -> None:
    server.start()
    refused: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(ServerError) as error:
            second(server)
        refused.append(str(error.value))

    played.meanwhile = meanwhile
    server.restart()
    assert refused == [f"another command starts or restarts the server on port {server.port}; wait for its end"]
    assert played.starts == 2 and backends(server) == ["backend-2"]


def test_a_stop_that_is_interrupted_ends_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Proxy) -> None:
        raise KeyboardInterrupt

    server.start()
    monkeypatch.setattr(Proxy, "drain", interrupt)
    with pytest.raises(KeyboardInterrupt):
        server.stop()
    assert server.missing_processes() == ["nginx", "TorchServe", "the monitor"]


def test_two_stops_at_once(server: Server) -> None:
    """As of a server in the foreground, which stops what is left where another command stops it."""
    server.start()
    with ThreadPoolExecutor(4) as pool:
        stops = [pool.submit(server.stop) for _ in range(4)]
        assert any(one.result() for one in stops)
    assert [path.name for path in server.folder.iterdir()] == ["keys"]


@pytest.mark.parametrize("asked", [True, False])
def test_a_server_in_the_foreground_tells_a_stop_from_a_crash(
    server: Server, asked: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resformer.scripts.torchserve.serve.java_home", lambda: None)
    with ThreadPoolExecutor(1) as pool:
        stop = pool.submit(end, server, asked)
        assert run(server, notice_seconds=0.0) is asked
        stop.result()
    assert ("ended by itself" in capsys.readouterr().err) is not asked
    assert not server.folder.exists() or [path.name for path in server.folder.iterdir()] == ["keys"]


def test_a_closed_pipe_does_not_end_the_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of `make serve | head`."""

    def closed(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("resformer.scripts.torchserve.serve.java_home", lambda: None)
    monkeypatch.setattr("resformer.scripts.torchserve.serve._show_answer", closed)
    with pytest.raises(BrokenPipeError):
        start(server)
    assert server.missing_processes() == []


def end(server: Server, asked: bool) -> None:
    """Stops a server once it runs, or ends its nginx."""
    assert wait_until(lambda: not server.missing_processes(), 30.0)
    if asked:
        server.stop()
    else:
        server.proxy.stop()


def test_new_keys_are_taken_from_the_folder_that_is_served(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever folder the environment names, which may be one from another place."""
    monkeypatch.setenv("RESFORMER_KEYS", "keys-of-another")
    server = replace(server, keys_folder=tmp_path / "keys")
    server.start()
    server.keys.rotate("inference")
    accepted = server.proxy.folder / "keys" / "inference.conf"
    assert wait_until(lambda: server.key("inference") in accepted.read_text(), 30.0), server._monitor.log.read_text()


def test_nginx_is_found_from_any_folder() -> None:
    """The monitor runs in another one than the command that started it."""
    assert all(folder.is_absolute() for folder in FOLDERS)
