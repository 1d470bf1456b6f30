"""Many calls, a minute: make test-openapi."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.openapi.described_calls import send_described_calls
from tests.servers import free_ports

pytestmark = [pytest.mark.openapi, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(archive: Path) -> Iterator[Server]:
    server = Server(free_ports(), archive.parents[1])
    server.start(java_home())
    yield server
    server.stop()


def test_every_answer_is_as_described(server: Server, tmp_path: Path) -> None:
    assert send_described_calls(server, tmp_path, "examples,coverage,fuzzing", 60) == ""
