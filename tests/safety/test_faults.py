"""What clients get while something fails: their answer or an error in JSON, never another answer."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.hostile.wire import CLOSED
from resformer.scripts.soak.kills import ready_workers
from resformer.scripts.torchserve.process_memory import server_processes
from resformer.scripts.torchserve.processes import wait_until
from resformer.scripts.torchserve.server import Server
from tests.paths import ROOT
from tests.safety.conftest import RESPONSE_TIMEOUT
from tests.safety.load import Load

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

# Seconds in which a worker is started again on a busy machine.
WORKER_START = 90.0


def test_a_killed_worker(server: Server, load: Load) -> None:
    with load.of(4):
        time.sleep(0.5)
        (worker,) = ready_workers(server)
        os.kill(worker, signal.SIGKILL)
        seconds = load.recovery(WORKER_START)
    print(f"answers again after {seconds:.1f} s; {len(load.wrong(errors=False))} of {len(load.answers)} got errors")
    assert load.wrong(errors=True) == []
    assert any(load.is_right(answer) for answer in load.answers)
    assert ready_workers(server) != [worker]


def test_a_killed_nginx_worker(server: Server, load: Load) -> None:
    (worker,) = server.proxy.workers()
    with load.of(4):
        time.sleep(0.5)
        os.kill(worker, signal.SIGKILL)
        seconds = load.recovery(5.0)
        time.sleep(0.5)
    # Nothing can answer on the connections that it held; these end at once.
    lost = load.wrong(errors=True)
    assert {answer.status for answer in lost} <= {CLOSED}
    assert len(lost) <= 4
    assert seconds < 5


@pytest.mark.faults
def test_a_killed_monitor_leaves_predictions(server: Server, load: Load) -> None:
    pid = server.processes()["the monitor"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: server.missing_processes() == ["the monitor"], 5.0)
    with load.of(2):
        time.sleep(0.5)
    assert load.answers and load.wrong(errors=False) == []
    for probe in ("live", "ready"):
        reply = server.probe(probe)
        assert (reply.status, reply.body["code"]) == (503, 503)


def test_slow_clients_get_their_answer(load: Load) -> None:
    target = load.target
    answer, seconds = target.timed(target.request(), parts=5, pause=0.4)
    assert load.is_right(answer) and seconds >= 1.6


def test_half_closed_clients_get_their_answer(load: Load) -> None:
    with load.target.connect() as wire:
        wire.send(load.target.request())
        wire.socket.shutdown(socket.SHUT_WR)
        assert load.is_right(wire.answer())


def test_clients_that_leave_cost_others_nothing(load: Load) -> None:
    for _ in range(10):
        with load.target.connect() as wire:
            wire.send(load.target.request())
    assert load.is_right(load.target.ordinary()[0])


def test_rotated_keys(server: Server, load: Load) -> None:
    before = server.key("inference")
    command = [sys.executable, "-m", "resformer", "keys", "rotate", "--port", str(server.port)]
    try:
        with load.of(2):
            subprocess.run([*command, "--root", str(server.root)], cwd=ROOT, check=True)
            server.accept_keys()
            renewed = Target(server.port, server.key("inference"), load.target.photo)
            assert wait_until(lambda: load.is_right(renewed.ordinary()[0]), 30.0)
        assert server.key("inference") != before
        assert load.answers and load.wrong(errors=False) == []
        server.keys.retire("inference")
        server.accept_keys()
        assert wait_until(lambda: load.target.ordinary()[0].status == 401, 30.0)
        assert load.is_right(renewed.ordinary()[0])
    finally:
        server.keys.retire("inference")
        server.accept_keys()


@pytest.mark.faults
def test_a_worker_that_hangs_is_replaced(server: Server, load: Load) -> None:
    (worker,) = ready_workers(server)
    with load.of(2):
        os.kill(worker, signal.SIGSTOP)
        assert wait_until(lambda: worker not in _pids(server), RESPONSE_TIMEOUT + 60.0)
        seconds = load.recovery(WORKER_START)
    print(f"answers again {seconds:.1f} s after the worker was found out")
    assert load.wrong(errors=True) == []
    assert load.wrong(errors=False) != []


@pytest.mark.faults
def test_a_worker_without_memory_is_replaced_or_says_so(server: Server, load: Load) -> None:
    (worker,) = ready_workers(server)
    pages = int(Path(f"/proc/{worker}/statm").read_text().split()[0])
    before = resource.prlimit(worker, resource.RLIMIT_AS)
    resource.prlimit(worker, resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 20), before[1]))
    with load.of(4):
        time.sleep(5.0)
        if worker in ready_workers(server):  # an error was all that it took
            resource.prlimit(worker, resource.RLIMIT_AS, before)
        seconds = load.recovery(WORKER_START)
    print(f"answers again after {seconds:.1f} s; {len(load.wrong(errors=False))} of {len(load.answers)} got errors")
    assert load.wrong(errors=True) == []


@pytest.mark.faults
def test_a_restart_loses_no_request(server: Server, load: Load) -> None:
    command = [sys.executable, "-m", "resformer", "restart", "--port", str(server.port), "--root", str(server.root)]
    before = server.pid
    with load.of(8):
        subprocess.run([*command, "--archive", str(server.archive)], cwd=ROOT, check=True)
        time.sleep(1.0)
    print(f"{len(load.answers)} requests during the restart")
    assert server.pid != before
    assert len(load.answers) > 8
    assert load.wrong(errors=False) == []


def _pids(server: Server) -> set[int]:
    return {process.pid for process in server_processes(server).get("worker", [])}
