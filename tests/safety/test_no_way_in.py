"""Without a key there is nothing to get, from this machine; from another one there is no port to ask at."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import psutil
import pytest

from resformer.scripts.hostile.wire import Wire, head
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import PORTS, Server
from tests.servers import free_ports

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")
PATHS = (
    *("/", "/ping", "/predictions/resformer", "/predictions/resformer/1.0/width", "/invocations", "/api-description"),
    *("/explanations/resformer", "/models", "/models/resformer", "/models/resformer/1.0/set-default", "/metrics"),
    *("/workflows", "/v1/models/resformer:predict", "/v2/health/ready", "/token?type=management", "/.error/401"),
    *("/org.pytorch.serve.grpc.inference.InferenceAPIsService/Ping", "/../metrics", "//metrics", "/live/../metrics"),
)
KEYS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Basic d3Jvbmc="},
)
PROBES = ("/live", "/ready")
HERE, THERE = "10.199.77.1", "10.199.77.2"


@pytest.mark.parametrize("purpose", [name for name in PORTS if name != "grpc"])
def test_without_a_key_there_are_refusals_alone(server: Server, purpose: str) -> None:
    port = server.port + PORTS.index(purpose)
    wrong = []
    for method in METHODS:
        for path in PATHS:
            for headers in KEYS:
                with Wire(port, timeout=10.0) as wire:
                    wire.send(head(method, path, {"Host": "x", "Content-Length": 0, **headers}))
                    answer = wire.answer(method)
                if not 400 <= answer.status < 500 or (method != "HEAD" and answer.fault):
                    wrong.append((method, path, headers, answer))
    assert wrong == []


def test_probes_say_one_thing(server: Server) -> None:
    for path in PROBES:
        with Wire(server.port + PORTS.index("probes"), timeout=10.0) as wire:
            wire.send(head("GET", path, {"Host": "x"}))
            answer = wire.answer("GET")
        assert answer.status in (200, 503) and len(answer.body) < 500


def test_keys_open_their_own_port_alone(server: Server) -> None:
    for kind in ("management", "metrics"):
        with Wire(server.port, timeout=10.0) as wire:
            wire.send(head("GET", "/ping", {"Host": "x", "Authorization": f"Bearer {server.key(kind)}"}))
            assert wire.answer("GET").status == 401
    for purpose in ("management", "metrics"):
        path = {"management": "/models/resformer", "metrics": "/metrics"}[purpose]
        with Wire(server.port + PORTS.index(purpose), timeout=10.0) as wire:
            wire.send(head("GET", path, {"Host": "x", "Authorization": f"Bearer {server.key('inference')}"}))
            assert wire.answer("GET").status == 401


def test_grpc_refuses_without_a_key(server: Server) -> None:
    """Also at TorchServe's own two ports, past the proxy."""
    listening = _listening(server)
    ports = {server.port + PORTS.index("grpc"), *(port for _, port in listening if port not in _own(server))}
    assert len(ports) >= 3
    services = {
        "inference.InferenceAPIsService": ("Predictions", "StreamPredictions"),
        "management.ManagementAPIsService": ("ListModels", "DescribeModel", "RegisterModel", "ScaleWorker"),
    }
    for port in ports:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            for service, methods in services.items():
                for method in methods:
                    call = channel.unary_unary(f"/org.pytorch.serve.grpc.{service}/{method}")
                    with pytest.raises(grpc.RpcError) as refused:
                        call(b"\x0a\x09resformer", timeout=10.0)
                    assert refused.value.code() in (
                        grpc.StatusCode.PERMISSION_DENIED,
                        grpc.StatusCode.UNAUTHENTICATED,
                        grpc.StatusCode.UNIMPLEMENTED,
                    ), (port, method, refused.value)


def test_all_listens_on_loopback(server: Server) -> None:
    hosts = {host for host, _ in _listening(server)}
    assert hosts and hosts <= {"127.0.0.1", "::ffff:127.0.0.1"}


@pytest.fixture
def elsewhere() -> Iterator[Callable[[int], bool]]:
    """Whether a port of this machine is reached from another host: a network namespace behind a pair of interfaces."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace takes root")
    name = f"resformer-{os.getpid()}"
    inside, outside = f"rfi{os.getpid() % 100_000}", f"rfo{os.getpid() % 100_000}"
    steps = (
        f"ip netns add {name}",
        f"ip link add {outside} type veth peer name {inside} netns {name}",
        f"ip addr add {HERE}/24 dev {outside}",
        f"ip link set {outside} up",
        f"ip -n {name} addr add {THERE}/24 dev {inside}",
        f"ip -n {name} link set {inside} up",
        f"ip -n {name} link set lo up",
    )
    try:
        for step in steps:
            done = subprocess.run(step.split(), capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")

        def reached(port: int) -> bool:
            script = f"exec 3<>/dev/tcp/{HERE}/{port}"
            command = ["ip", "netns", "exec", name, "timeout", "3", "bash", "-c", script]
            return subprocess.run(command, capture_output=True).returncode == 0

        with socket.create_server((HERE, 0)) as open_to_all:
            assert reached(open_to_all.getsockname()[1]), "no port of this machine can be reached, not even an open one"
        yield reached
    finally:
        subprocess.run(["ip", "link", "del", outside], capture_output=True)
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def test_another_host_reaches_nothing(server: Server, elsewhere: Callable[[int], bool]) -> None:
    ports = {port for _, port in _listening(server)} | _own(server)
    assert [port for port in sorted(ports) if elsewhere(port)] == []


@pytest.mark.faults
def test_another_host_reaches_what_is_exposed(server: Server, elsewhere: Callable[[int], bool]) -> None:
    exposing = Server(free_ports(), server.root, server.archive, exposed=("predictions",))
    exposing.start(java_home())
    try:
        ports = {port for _, port in _listening(exposing)} | _own(exposing)
        assert [port for port in sorted(ports) if elsewhere(port)] == [exposing.port]
    finally:
        exposing.stop()


def _own(server: Server) -> set[int]:
    return {server.port + offset for offset in range(len(PORTS))}


def _listening(server: Server) -> set[tuple[str, int]]:
    """Addresses that processes of the server listen on."""
    found = set()
    for pid in server.processes().values():
        assert pid is not None
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # one that just ended, such as what the monitor starts for new keys
                open_ones = one.net_connections("tcp")
                found |= {(c.laddr.ip, c.laddr.port) for c in open_ones if c.status == psutil.CONN_LISTEN}
    return found
