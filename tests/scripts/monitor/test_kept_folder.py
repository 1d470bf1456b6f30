"""A folder that is in use is locked against those who clean up."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from resformer.scripts.monitor.backend_file import read_backend
from resformer.scripts.monitor.kept_folder import KeptFolder
from resformer.scripts.monitor.monitor import Monitor, MonitorOptions
from tests.scripts.monitor.fake_torchserve import FakeTorchServe


def is_locked(folder: Path) -> bool:
    """As one sees it who locks it himself, in a process of his own."""
    return subprocess.run(["flock", "--nonblock", str(folder), "true"]).returncode != 0


def test_the_monitor_keeps_the_folder_of_torchserve(folder: Path, torchserve: FakeTorchServe) -> None:
    monitor = Monitor(MonitorOptions(folder=folder, listen=folder / "monitor.sock"))
    used = read_backend(folder).management.parent
    assert not is_locked(used)
    monitor.poll()
    assert is_locked(used)


def test_the_lock_goes_over_to_another_folder(tmp_path: Path) -> None:
    first, second, kept = tmp_path / "first", tmp_path / "second", KeptFolder()
    first.mkdir()
    kept.keep(first)
    with pytest.raises(FileNotFoundError):
        kept.keep(second)
    assert is_locked(first)
    second.mkdir()
    kept.keep(second)
    assert (is_locked(first), is_locked(second)) == (False, True)
    kept.release()
    assert not is_locked(second)


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd is not installed")
def test_systemd_leaves_it_alone(tmp_path: Path) -> None:
    area = tmp_path / "area"
    files = [area / name / "resformer.mar" for name in ("used", "left")]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    (tmp_path / "rules.conf").write_text(f"d {area} 0700 - - 1s\n")
    kept = KeptFolder()
    kept.keep(area / "used")
    time.sleep(2.5)
    subprocess.run(["systemd-tmpfiles", "--clean", str(tmp_path / "rules.conf")], check=True)
    kept.release()
    assert [file.exists() for file in files] == [True, False]
