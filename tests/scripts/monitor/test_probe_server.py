"""Answers while threads are short, and faults that are logged."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from resformer.scripts.lib.unix_http import exchange
from resformer.scripts.monitor.probe_server import MAX_CONNECTIONS, Answer, ProbeServer


@pytest.fixture
def server(folder: Path) -> Iterator[ProbeServer]:
    made = ProbeServer(folder / "probes.sock", {"/live": lambda: Answer.of_json(200, {})})
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_threads_that_cannot_be_started_take_no_slots(
    server: ProbeServer, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _ in range(MAX_CONNECTIONS + 1):
            with pytest.raises(OSError):
                exchange(folder / "probes.sock", "GET", "/live", timeout=2)
    assert exchange(folder / "probes.sock", "GET", "/live", timeout=2)[0] == 200
    assert "can't start new thread" in caplog.text


def test_a_caller_that_goes_away_is_no_fault(server: ProbeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        raise BrokenPipeError
    except BrokenPipeError:
        server.handle_error(None, None)
    assert caplog.records == []
