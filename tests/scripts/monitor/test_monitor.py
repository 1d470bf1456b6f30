"""What the monitor answers while TorchServe comes, crashes, goes and is replaced. Time is the test's."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from resformer.scripts.monitor.health import DRAINING_FILE
from resformer.scripts.monitor.monitor import Monitor, MonitorOptions
from resformer.scripts.monitor.probe_server import Answer
from tests.scripts.monitor.conftest import Clock
from tests.scripts.monitor.fake_torchserve import FakeTorchServe


@pytest.fixture
def monitor(folder: Path, clock: Clock) -> Monitor:
    return Monitor(MonitorOptions(folder=folder, listen=folder / "monitor.sock"), clock)


def said(answer: Answer) -> tuple[int, Any]:
    body = json.loads(answer.body)
    return answer.status, body.get("type") or body["status"]


def values(monitor: Monitor) -> dict[str, float]:
    """The samples of /metrics, by name and label values."""
    families = text_string_to_metric_families(monitor.metrics().body.decode())
    return {
        " ".join([sample.name, *(v for k, v in sample.labels.items() if k != "le")]): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_ready_worker_is_ready_and_alive(monitor: Monitor, torchserve: FakeTorchServe) -> None:
    torchserve.queued = 3
    monitor.poll()
    assert said(monitor.ready()) == (200, "ready")
    assert json.loads(monitor.live().body) == {
        "status": "live",
        "workers": 1,
        "ready_workers": 1,
        "queued": 3,
        "restarts": 0,
    }
    found = values(monitor)
    assert found["resformer_ready"] == found["resformer_live"] == found["resformer_management_up"] == 1
    assert found["resformer_workers ready"] == 1 and found["resformer_workers loading"] == 0
    assert (found["resformer_queue_length"], found["resformer_queue_capacity"]) == (3, 64)
    assert found["resformer_torchserve_metrics_up"] == 1
    assert monitor.metrics().body.endswith(b"\nRequests2XX 4.0\n")


def test_before_the_first_worker_it_is_alive_for_as_long_as_a_start_takes(
    monitor: Monitor, torchserve: FakeTorchServe, clock: Clock
) -> None:
    torchserve.workers = [("9000", -1, "UNLOADING")]
    monitor.poll()
    assert said(monitor.ready()) == (503, "NoWorker")
    assert said(monitor.live()) == (200, "live")
    clock.now += 241
    monitor.poll()
    assert said(monitor.live()) == (503, "CrashLoop")


def test_a_crash_loop_is_not_ready_at_once_and_not_alive_after_two_minutes(
    monitor: Monitor, torchserve: FakeTorchServe, clock: Clock
) -> None:
    monitor.poll()
    for pid in range(12, 25):  # every ten seconds another process, none of which gets ready
        clock.now += 10
        torchserve.workers = [("9000", pid, "UNLOADING")]
        monitor.poll()
        assert said(monitor.ready()) == (503, "NoWorker")
        assert said(monitor.live())[0] == (200 if pid < 24 else 503)
    assert "13 restarts" in json.loads(monitor.live().body)["message"]
    found = values(monitor)
    assert found["resformer_worker_restarts_total"] == 13
    assert found["resformer_worker_ready_age_seconds"] == 130
    assert found["resformer_ready"] == found["resformer_live"] == 0
    torchserve.workers = [("9000", 25, "READY")]
    monitor.poll()
    assert said(monitor.ready())[0] == said(monitor.live())[0] == 200


def test_torchserve_that_goes_away_is_not_ready_at_once_and_not_alive_after_half_a_minute(
    monitor: Monitor, torchserve: FakeTorchServe, clock: Clock
) -> None:
    monitor.poll()
    torchserve.close()
    clock.now += 1
    monitor.poll()
    assert said(monitor.ready()) == (503, "NoManagement")
    assert said(monitor.live())[0] == 200
    clock.now += 30
    assert said(monitor.live()) == (503, "NoManagement")
    found = values(monitor)
    assert found["resformer_management_up"] == found["resformer_torchserve_metrics_up"] == 0
    assert "resformer_workers ready" not in found and b"Requests2XX" not in monitor.metrics().body


def test_what_was_said_long_ago_is_not_ready(monitor: Monitor, torchserve: FakeTorchServe, clock: Clock) -> None:
    """A management API that hangs keeps the poll waiting."""
    monitor.poll()
    clock.now += 6
    assert said(monitor.ready()) == (503, "NoManagement")


def test_without_any_torchserve_it_waits_for_one(monitor: Monitor, folder: Path, clock: Clock) -> None:
    monitor.poll()
    assert said(monitor.ready()) == (503, "NoManagement") and said(monitor.live())[0] == 200
    (folder / "backend.json").write_text("{")
    monitor.poll()
    assert said(monitor.ready()) == (503, "NoManagement")
    clock.now += 241
    assert said(monitor.live()) == (503, "NoManagement")


def test_another_torchserve_takes_over_and_its_workers_are_no_restarts(
    monitor: Monitor, torchserve: FakeTorchServe, folder: Path
) -> None:
    monitor.poll()
    second = FakeTorchServe(folder, "b")
    second.workers = [("9000", 77, "READY")]
    second.name_in(folder)
    try:
        torchserve.close()
        monitor.poll()
        assert said(monitor.ready())[0] == 200
        second.workers = [("9000", 78, "READY"), ("9001", 79, "READY")]
        monitor.poll()
        found = values(monitor)
        assert found["resformer_worker_restarts_total"] == 1 and found["resformer_workers ready"] == 2
    finally:
        second.close()


def test_a_draining_server_is_alive_but_not_ready(monitor: Monitor, torchserve: FakeTorchServe, folder: Path) -> None:
    monitor.poll()
    (folder / DRAINING_FILE).touch()
    assert said(monitor.ready()) == (503, "Draining")
    assert said(monitor.live())[0] == 200
    assert values(monitor)["resformer_draining"] == 1


def test_the_key_is_read_anew(monitor: Monitor, torchserve: FakeTorchServe) -> None:
    torchserve.key_file.unlink()
    monitor.poll()
    assert said(monitor.ready()) == (503, "NoManagement")
    torchserve.key_file.write_text(json.dumps({"management": {"key": "new"}}))
    monitor.poll()
    assert said(monitor.ready())[0] == 200


def test_the_access_log_adds_up(monitor: Monitor, torchserve: FakeTorchServe) -> None:
    line = {"path": "/predictions/resformer", "bytes_in": 250_000, "seconds": 0.06}
    for status in ("200", "200", "503", "401", "413", "400", "777"):
        monitor.access.take(b"<190>Nov 29 02:00:00 resformer: " + json.dumps({**line, "status": status}).encode())
    monitor.access.take(b"<190>Nov 29 02:00:00 resformer: no JSON")
    monitor.access.take(b"\xff\x00")
    monitor.poll()
    found = values(monitor)
    assert found["resformer_http_requests_total predictions 200"] == 2
    assert found["resformer_http_requests_total predictions other"] == 1
    assert found["resformer_http_refused_total overload"] == 1
    assert found["resformer_http_refused_total unauthorized"] == found["resformer_http_refused_total too_large"] == 1
    assert found["resformer_access_log_malformed_total"] == 2
    assert found["resformer_http_request_duration_seconds_count predictions"] == 7
    assert math.isclose(found["resformer_http_request_duration_seconds_sum predictions"], 0.42)
    assert found["resformer_http_request_size_bytes_sum"] == 1_750_000
