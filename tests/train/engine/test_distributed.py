"""Two processes train one network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from resformer.train.engine.distributed import Processes
from resformer.train.engine.throughput import flops_of, peak_flops
from tests.paths import ROOT

CONFIG = {
    "preset": "nano",
    "sources": [{"kind": "generated", "photos_count": 64}],
    "minutes": 3,
    "epochs": 2,
    "batch_size": 4,
    "hold_back": 0.2,
    "dropout": 0.0,
}


def test_alone_there_is_nothing_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = Processes("cpu")
    assert alone.first and list(alone.mine(range(5))) == [0, 1, 2, 3, 4]
    assert alone.agreed(0.25, "cpu") == 0.25
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.full((2,), 3.0)
    alone.average([weight])
    assert weight.grad.tolist() == [3, 3]


def test_batches_are_shared_out_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    parts = []
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        parts.append(list(Processes("cpu").mine(range(10, 17))))
    assert parts == [[10, 12, 14], [11, 13, 15]]


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    """Their gradients are averaged: after two epochs both hold the same network, and only one of them has written."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    script = tmp_path / "both.py"
    script.write_text(
        "import os, zlib, sys\n"
        "from pathlib import Path\n"
        "import torch\n"
        "torch.set_num_threads(1)\n"
        "from resformer.train.config import load_config\n"
        "from resformer.train.quantities.quantity_trainer import Trainer\n"
        "trainer = Trainer(load_config(Path(sys.argv[1])), Path(sys.argv[2]), 'cpu')\n"
        "trainer.run()\n"
        "sums = [zlib.crc32(p.detach().numpy().tobytes()) for p in trainer.network.parameters()]\n"
        "told = f'{sums} {trainer.progress.step} {trainer.batches_per_epoch}'\n"
        "(Path(sys.argv[2]) / f'sums-{os.environ[\"RANK\"]}').write_text(told)\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    out = tmp_path / "run"
    done = subprocess.run(
        [*command, str(tmp_path / "config.yaml"), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = ((out / f"sums-{rank}").read_text() for rank in (0, 1))
    assert first == second
    steps, batches = map(int, first.split()[-2:])
    assert steps == 2 * (batches // 2) > 0
    assert (out / "weights.safetensors").is_file()
    assert len(re.findall(r"epoch 2: loss", done.stdout + done.stderr)) == 1  # one of them speaks


def test_operations_are_counted() -> None:
    a, b = torch.randn(10, 20), torch.randn(20, 30)
    assert flops_of(lambda: a @ b) == 2 * 10 * 20 * 30
    assert peak_flops("cpu", torch.float32) > 1e8
