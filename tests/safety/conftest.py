"""One server for all tests of this folder, and clients that keep what they got."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.lib.sample_photo import sample_photo_bytes
from resformer.scripts.torchserve.archive_form import CONFIG, write_archive
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.safety.load import Load
from tests.servers import free_ports

# Seconds: a worker that hangs is found out soon, and an ordinary photo is answered on a busy machine.
RESPONSE_TIMEOUT = 8


@pytest.fixture(scope="package")
def served(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("safety")
    server = Server(free_ports(), root, _impatient(archive, root / "impatient.mar"))
    yield server
    server.stop()


@pytest.fixture
def server(served: Server) -> Server:
    """The server, running."""
    if served.missing_processes():
        served.stop()
        served.start(java_home())
    return served


@pytest.fixture
def target(server: Server) -> Target:
    return Target(server.port, server.key("inference"), sample_photo_bytes())


@pytest.fixture
def load(target: Target) -> Load:
    return Load(target)


def _impatient(archive: Path, copy: Path) -> Path:
    """A copy of the archive whose workers must answer within seconds."""
    with zipfile.ZipFile(archive) as old:
        files = {name: old.read(name) for name in old.namelist()}
    config = yaml.safe_load(files[CONFIG])
    files[CONFIG] = yaml.safe_dump({**config, "responseTimeout": RESPONSE_TIMEOUT}).encode()
    write_archive(copy, files)
    return copy
