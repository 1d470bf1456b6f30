"""Lines of `resformer status`, from the bodies that the probes really have."""

from pathlib import Path

from resformer.scripts.monitor.health_report import health_lines, parse_probe
from resformer.scripts.monitor.monitor import Monitor, MonitorOptions
from tests.scripts.monitor.conftest import Clock
from tests.scripts.monitor.fake_torchserve import FakeTorchServe


def lines(monitor: Monitor) -> list[str]:
    ready, live = monitor.ready(), monitor.live()
    return health_lines(parse_probe(ready.status, ready.body), parse_probe(live.status, live.body))


def test_a_server_from_its_start_to_a_crash_loop(folder: Path, torchserve: FakeTorchServe, clock: Clock) -> None:
    monitor = Monitor(MonitorOptions(folder=folder, listen=folder / "monitor.sock"), clock)
    monitor.poll()
    assert lines(monitor) == ["ready: 1 of 1 workers take requests, 0 requests wait"]
    torchserve.workers = [("9000", 12, "UNLOADING")]
    monitor.poll()
    clock.now += 60
    monitor.poll()
    first, second = lines(monitor)
    assert first.startswith("not ready (NoWorker): no worker has been ready for 60 s, of 1")
    assert second == "1 restarts of workers since the monitor began: the log says why"
    clock.now += 61
    monitor.poll()
    assert lines(monitor)[1].startswith("not alive (CrashLoop): no worker has been ready for 121 s, after 1 restarts")


def test_what_is_no_answer_of_the_monitor() -> None:
    body = parse_probe(502, b"<html>Bad Gateway</html>")
    assert health_lines(body, body) == ["not ready (NoMonitor): the monitor does not answer: status 502"]
