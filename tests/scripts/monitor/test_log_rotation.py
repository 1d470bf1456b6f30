"""nginx's logs stay below a limit."""

import signal
from pathlib import Path

import pytest

from resformer.scripts.monitor.__main__ import parse_options
from resformer.scripts.monitor.log_rotation import LogRotation


def test_large_logs_are_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda pid, number: told.append((pid, number)))
    log, other, pid_file = tmp_path / "access.log", tmp_path / "error.log", tmp_path / "nginx.pid"
    pid_file.write_text("123\n")
    rotation = LogRotation([log, other], pid_file, max_bytes=10)
    rotation.look()  # there is none yet
    log.write_text("ten bytes!")
    rotation.look()
    assert log.exists() and told == []
    log.write_text("ten bytes, and more")
    rotation.look()
    assert not log.exists() and (tmp_path / "access.log.1").read_text() == "ten bytes, and more"
    assert told == [(123, signal.SIGUSR1)]
    other.write_text("as many errors")
    rotation.look()
    assert not other.exists() and len(told) == 2


def test_rotation_needs_nginx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(tmp_path)]
    with pytest.raises(SystemExit):
        parse_options([*folder, "--rotate", "access.log"])
    assert "--rotate needs --nginx-pid" in capsys.readouterr().err
    options = parse_options([*folder, "--rotate", "access.log", "error.log", "--nginx-pid", "nginx.pid"])
    assert options.rotation == LogRotation([Path("access.log"), Path("error.log")], Path("nginx.pid"))
