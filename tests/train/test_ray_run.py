"""Training on Ray: a lost process is started again, and the losses are those of one process."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from resformer.train.ray_run import main as ray_main
from resformer.train.run import main
from tests.paths import CONFIGS, ROOT
from tests.train.engine.test_processes import losses

COMMAND = [
    str(CONFIGS / "synthetic.yaml"),
    "epochs=3",
    "sources.0.num_photos=64",
    "batch_size=4",
    "val_fraction=0",
    "save_every_steps=1",
]


def test_ray_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert ray_main([*COMMAND, "--out", str(tmp_path), "--processes", "2"]) == 2
    assert "pip install 'resformer[train,ray]'" in capsys.readouterr().err


@pytest.mark.ray
@pytest.mark.timeout(600)
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: requirements-ray.txt")
def test_a_lost_process_is_started_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*COMMAND, "accumulate_batches=2", "--out", str(one), "--accelerator", "cpu", "--threads", "1"]) == 0
    log = tmp_path / "log"
    command = [sys.executable, "-m", "resformer.train.ray_run"]
    with log.open("w") as output:
        driver = subprocess.Popen(
            [*command, *COMMAND, "--out", str(two), "--processes", "2", "--address", "local"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_DISABLE_IMPORT_WARNING": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        killed = False
        while driver.poll() is None:
            if not killed and (two / "state.pt").exists():
                processes = psutil.Process(driver.pid).children(recursive=True)
                workers = [p for p in processes if "RayTrainWorker" in " ".join(p.cmdline())]
                workers[-1].kill()
                killed = True
            time.sleep(0.05)
    assert killed and driver.returncode == 0, log.read_text()[-4000:]
    assert "resumed at epoch" in log.read_text()
    expected = losses(one)
    assert len(expected) == 24 and losses(two) == pytest.approx(expected, rel=0.05)
    assert losses(two)[:3] == pytest.approx(expected[:3], rel=1e-4)
