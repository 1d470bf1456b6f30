"""Keys that change, are broken, and of which nginx cannot be told."""

import logging
import sys
from pathlib import Path

import pytest

from resformer.scripts.monitor.key_watch import KeyWatch
from resformer.scripts.monitor.reload_command import reload_by_command
from resformer.scripts.torchserve.access_keys import KINDS

KEY = "0123456789abcdef"


class Nginx:
    """Counts how often it was told."""

    told = 0
    away = False

    def __call__(self) -> None:
        if self.away:
            raise OSError("nginx is away")
        self.told += 1


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for name in KINDS:
        (tmp_path / name).write_text(f"{KEY}-{name}\n")
    return tmp_path


def test_only_a_change_is_told(keys: Path) -> None:
    nginx = Nginx()
    watch = KeyWatch(keys, nginx)
    watch.look()
    (keys / "inference").write_text(f"{KEY}-inference\n")  # written again, but the same
    watch.look()
    assert watch.valid and nginx.told == 0
    (keys / "inference").write_text(f"{KEY}-new\n{KEY}-inference\n")
    watch.look()
    watch.look()
    assert nginx.told == 1 and watch.reloads["done"] == 1


@pytest.mark.parametrize("broken", ["", "\n\n", "short\n", f"{KEY}\n{KEY}; include /etc/passwd\n", None])
def test_broken_keys_are_refused_and_those_before_stay(
    keys: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    nginx = Nginx()
    watch = KeyWatch(keys, nginx)
    if broken is None:
        (keys / "metrics").unlink()
    else:
        (keys / "metrics").write_text(broken)
    for _ in range(5):
        watch.look()
    assert not watch.valid and nginx.told == 0 and watch.reloads["refused"] == 1
    assert len(caplog.records) == 1 and "metrics" in caplog.text and KEY not in caplog.text
    (keys / "metrics").write_text(f"{KEY}-metrics\n")
    watch.look()
    assert watch.valid and nginx.told == 0  # as nginx has them


def test_nginx_that_is_away_is_told_again(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    nginx = Nginx()
    watch = KeyWatch(keys, nginx)
    (keys / "management").write_text(f"{KEY}-new\n")
    nginx.away = True
    for _ in range(3):
        watch.look()
    assert watch.reloads["failed"] == 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    nginx.away = False
    watch.look()
    assert nginx.told == 1


def test_keys_of_a_secret_that_is_mounted_anew(keys: Path, tmp_path: Path) -> None:
    """Kubernetes swaps a link to a folder."""
    mounted = tmp_path / "secret"
    mounted.symlink_to(keys)
    nginx = Nginx()
    watch = KeyWatch(mounted, nginx)
    new = tmp_path / "new"
    new.mkdir()
    for name in KINDS:
        (new / name).write_text(f"{KEY}-other-{name}\n")
    (tmp_path / "link").symlink_to(new)
    (tmp_path / "link").rename(mounted)
    watch.look()
    assert nginx.told == 1


def test_a_command_that_fails_says_why() -> None:
    reload_by_command([sys.executable, "-c", ""])()
    with pytest.raises(OSError, match="no such configuration"):
        reload_by_command([sys.executable, "-c", "import sys; sys.exit('no such configuration')"])()
    with pytest.raises(FileNotFoundError):
        reload_by_command(["/no/such/command"])()
