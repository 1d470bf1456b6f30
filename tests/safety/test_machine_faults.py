"""What clients get while the machine fails: a full disk, a clock that jumps. Each with a server of its own."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resformer.scripts.hostile.crowds import large_photo
from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.lib.sample_photo import sample_photo_bytes
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.safety.load import Load
from tests.servers import free_ports

pytestmark = [pytest.mark.faults, pytest.mark.server, pytest.mark.timeout(300)]

DISK_BYTES = 48 << 20
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
DAY = 86_400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a disk of its own takes root and the right to mount")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk(archive: Path, small_disk: Path) -> None:
    """Logs are lost, and bodies that do not fit into memory are refused; all else goes on."""
    server = Server(free_ports(), small_disk, archive)
    server.start(java_home())
    try:
        target = Target(server.port, server.key("inference"), sample_photo_bytes())
        load = Load(target)
        filler = small_disk / "filler"
        with filler.open("wb") as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        size = {"Content-Length": len(large_photo()), "X-Entity-Name": "item_weight"}
        with load.of(4):
            time.sleep(2.0)
            refused, _ = target.timed(target.head(size) + large_photo())
        assert len(load.answers) > 4 and load.wrong(errors=False) == []
        assert refused.status >= 500 and refused.fault is None
        filler.unlink()
        taken, _ = target.timed(target.head(size) + large_photo())
        assert taken.status == 200
    finally:
        server.stop()


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A file that says by how many seconds the wall clock of TorchServe and its workers is off."""
    if FAKETIME is None:
        pytest.skip("the clock cannot be moved before somebody runs as root: apt-get install libfaketime")
    file = tmp_path / "clock"
    file.write_text("+0\n")
    return file


@pytest.fixture
def java_with_clock(clock: Path, tmp_path: Path) -> Path:
    """The home of a Java that goes by that clock. Workers measure time by the monotonic clock alone."""
    found = java_home()
    java = f"{found}/bin/java" if found else "java"
    settings = f"LD_PRELOAD={FAKETIME} FAKETIME_TIMESTAMP_FILE={clock} FAKETIME_CACHE_DURATION=1"
    settings += " FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_ONLY_CMDS=java"
    program = tmp_path / "home" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec env {settings} {java} "$@"\n')
    program.chmod(0o755)
    return program.parents[1]


@pytest.mark.timeout(600)  # a program under such a clock is slow
def test_a_clock_that_jumps(archive: Path, clock: Path, java_with_clock: Path, tmp_path: Path) -> None:
    """Keys do not run out and no request is given up: back by two years, forward, and on."""
    clock.write_text(f"{365 * DAY:+d}\n")
    server = Server(free_ports(), tmp_path, archive)
    server.start(java_with_clock)
    try:
        load = Load(Target(server.port, server.key("inference"), sample_photo_bytes()))
        with load.of(2):
            for days in (-365, 365, 1, 0):
                clock.write_text(f"{days * DAY:+d}\n")
                time.sleep(1.5)  # it is read once a second
                load.recovery(30.0)
        assert load.wrong(errors=False) == []
        assert [worker["status"] for worker in server.workers()] == ["READY"]
        # TorchServe does go by that clock.
        expiry = json.loads(server.backend.key_file.read_text())["inference"]["expiration time"]
        lasts = timedelta(minutes=int(_setting(server, "token_expiration_min")))
        assert datetime.fromisoformat(expiry) > datetime.now(UTC) + lasts + timedelta(days=300)
    finally:
        server.stop()


def _setting(server: Server, name: str) -> str:
    lines = (server.backend.folder / "config.properties").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith(f"{name}="))
