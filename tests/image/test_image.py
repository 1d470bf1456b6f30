"""The image, built and run for real: `make image-test`, some minutes."""

import ipaddress
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from resformer.scripts.lib.sample_photo import draw_sample_photo
from tests.image.building import PROGRAMS, Builder, cuda_mount
from tests.image.container import USER, Container, network_of
from tests.paths import ROOT

MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

pytestmark = [
    pytest.mark.image,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: apt-get install {' '.join(MISSING)}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root: sudo make image-test"),
]

PREDICTIONS = "http://127.0.0.1:8080/predictions/resformer"
READY = "http://127.0.0.1:8084/ready"
START_SECONDS = 300


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    builder = Builder(ROOT / "build" / "image-test")
    try:
        builder.build()
        yield builder
    finally:
        builder.remove()


@pytest.fixture(scope="module")
def config(builder: Builder) -> dict[str, Any]:
    return builder.inspect()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("photo") / "sample.jpg"
    draw_sample_photo(path)
    return path.read_bytes()


def test_the_image_says_what_it_is(config: dict[str, Any]) -> None:
    assert config["User"] == f"{USER}:{USER}"
    assert set(config["ExposedPorts"]) == {"8080/tcp", "8082/tcp", "8084/tcp"}
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert config["Entrypoint"][0] == "tini"
    assert not [name for name in config["Env"] if "KEY" in name or "TOKEN" in name]


def test_the_image_holds_what_serving_needs_alone(builder: Builder) -> None:
    root = builder.mount()
    venv = root / "opt/venv/lib/python3.11/site-packages"
    unwanted = ("usr/bin/gcc", "usr/bin/cc", "usr/bin/make", "opt/venv/bin/pip", "build", "root/.cache")
    assert [name for name in unwanted if (root / name).exists()] == []
    assert [
        name for name in ("pytest", "lightning_fabric", "lightgbm", "moto", "gradio") if (venv / name).exists()
    ] == []
    assert not (venv / "resformer" / "train").exists()
    # No file can be changed by the user who runs.
    owned = subprocess.run(["find", root, "-xdev", "-user", str(USER)], capture_output=True, text=True, check=True)
    assert {line.removeprefix(str(root)) for line in owned.stdout.splitlines()} == {
        "/run/resformer",
        "/var/lib/resformer",
        "/var/lib/resformer/keys",
    }
    print(f"the image has {sum(f.lstat().st_size for f in root.rglob('*') if not f.is_dir()) / 2**20:.0f} MiB")


def test_the_container_serves_and_ends(builder: Builder, config: dict[str, Any], photo: bytes, tmp_path: Path) -> None:
    root = builder.mount()
    here, there = cuda_mount()
    container = Container(root, config, {here: there}, tmp_path / "container")
    before = tmp_path / "before"
    before.touch()
    process = container.start("--notice", "2")
    try:
        _wait_for_start(container, process)
        with network_of(container.pid):
            _check_processes(container)
            _check_ports()
            _check_keys(container, photo)
            _check_health(container, config)
            _check_end(container, process, photo)
    except BaseException:
        print(container.log.read_text(errors="replace")[-8000:])
        raise
    finally:
        container.remove()
    said = container.log.read_text(errors="replace")
    assert "Read-only file system" not in said and "Permission denied" not in said
    changed = subprocess.run(["find", root, "-xdev", "-newer", before], capture_output=True, text=True, check=True)
    assert changed.stdout == ""


def _wait_for_start(container: Container, process: "subprocess.Popen[bytes]") -> None:
    started = time.monotonic()
    while time.monotonic() < started + START_SECONDS:
        assert process.poll() is None, "the container ended"
        try:
            with network_of(container.pid):
                if requests.get(READY, timeout=5).status_code == 200:
                    print(f"ready after {time.monotonic() - started:.0f} s")
                    return
        except (requests.ConnectionError, subprocess.CalledProcessError):  # it is not there yet
            pass
        time.sleep(0.5)
    raise AssertionError("the container does not become ready")


def _check_processes(container: Container) -> None:
    processes = container.processes()
    names = {process.name() for process in processes}
    assert {"tini", "nginx", "java"} <= names
    for process in processes:
        assert set(process.uids()) == {USER}
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
    mounts = Path(f"/proc/{container.pid}/mountinfo").read_text().splitlines()
    (options,) = [line.split()[5] for line in mounts if line.split()[4] == "/"]
    assert "ro" in options.split(",")


def _check_ports() -> None:
    """Management and gRPC, on loopback, are reached by no other machine."""
    found = [c.laddr for c in psutil.net_connections("tcp") if c.laddr and c.status == psutil.CONN_LISTEN]
    everywhere = {address.port for address in found if not _is_loopback(address.ip)}
    assert everywhere == {8080, 8082, 8084}
    assert {8081, 8083} <= {address.port for address in found}


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _check_keys(container: Container, photo: bytes) -> None:
    """None were given: the server made its own."""
    key = _key(container)
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        refused = requests.put(PREDICTIONS, photo, headers=headers, timeout=30)
        assert (refused.status_code, refused.json()["type"]) == (401, "InvalidKeyException")
    answered = requests.put(PREDICTIONS, photo, headers={"Authorization": f"Bearer {key}"}, timeout=60)
    assert answered.json()["predictions"]["item_weight"]["prediction"] == "500 gram"
    for port in (8081, 8082):
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 401
    metrics = {"Authorization": f"Bearer {_key(container, 'metrics')}"}
    assert "resformer_ready 1.0" in requests.get("http://127.0.0.1:8082/metrics", headers=metrics, timeout=30).text


def _check_health(container: Container, config: dict[str, Any]) -> None:
    kind, *command = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    checked = container.execute(*command)
    assert checked.returncode == 0, checked.stderr


def _check_end(container: Container, process: "subprocess.Popen[bytes]", photo: bytes) -> None:
    """Requests under way at SIGTERM are answered, and so are those of the notice."""
    headers = {"Authorization": f"Bearer {_key(container)}"}

    def send(delay: float) -> int:
        time.sleep(delay)
        return requests.put(PREDICTIONS, photo, headers=headers, timeout=120).status_code

    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(send, i / 8) for i in range(16)]
        time.sleep(0.5)
        started = time.monotonic()
        container.end()
        time.sleep(1)
        assert requests.get(READY, timeout=5).status_code == 503
        assert [answer.result() for answer in answers] == [200] * 16
    assert process.wait(120) == 0
    print(f"ended after {time.monotonic() - started:.1f} s")


def _key(container: Container, kind: str = "inference") -> str:
    shown = container.execute("resformer", "keys", "show", "--kind", kind)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.strip()
