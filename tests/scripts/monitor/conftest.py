"""A folder, a fake TorchServe and a clock for the monitor."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.monitor.fake_torchserve import FakeTorchServe


@pytest.fixture
def folder() -> Iterator[Path]:
    """Near the root: the path of a socket may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="resformer-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def torchserve(folder: Path) -> Iterator[FakeTorchServe]:
    fake = FakeTorchServe(folder)
    fake.name_in(folder)
    yield fake
    fake.close()


class Clock:
    """Seconds that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
