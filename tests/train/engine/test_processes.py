"""Devices and processes: each process has its own device, and two of them train one network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from resformer.train.engine.fabric import make_fabric
from resformer.train.run import main
from tests.paths import CONFIGS, ROOT

# Each process leaves checksums of its weights when its training ends.
SCRIPT = """
import sys, zlib
from resformer.train.engine.trainer import Trainer
from resformer.train.run import main

run = Trainer.run

def run_and_sum(trainer):
    best = run(trainer)
    sums = [zlib.crc32(p.detach().numpy().tobytes()) for p in trainer.network.parameters()]
    rank = trainer.fabric.global_rank
    (trainer.out / f"sums-{rank}").write_text(f"{sums} {trainer.progress.step} {trainer.batches_per_epoch}")
    return best

Trainer.run = run_and_sum
sys.exit(main())
"""
# The second process kills itself before its third step, once.
KILLED = """
import os, signal, sys
from resformer.train.engine.trainer import Trainer
from resformer.train.run import main

step = Trainer._step

def step_or_die(trainer, *batches):
    first_try = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if first_try and trainer.fabric.global_rank == 1 and trainer.progress.step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(trainer, *batches)

Trainer._step = step_or_die
sys.exit(main())
"""
COMMAND = [str(CONFIGS / "synthetic.yaml"), "epochs=2", "sources.0.num_photos=64", "batch_size=4", "val_fraction=0.2"]
TWO = ["--devices", "2", "--accelerator", "cpu", "--threads", "1"]


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs, on which nothing is launched."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr(Fabric, "launch", lambda self: None)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("rank", [0, 1])
def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch, rank: int) -> None:
    monkeypatch.setenv("LOCAL_RANK", str(rank))
    fabric = make_fabric(devices=2)
    assert isinstance(fabric.strategy, DDPStrategy)
    assert fabric.strategy.parallel_devices == [torch.device("cuda", 0), torch.device("cuda", 1)]
    assert fabric.strategy.root_device == torch.device("cuda", rank)


@pytest.mark.usefixtures("two_gpus")
def test_more_devices_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="3 GPUs are asked for, and there are 2"):
        make_fabric(devices=3)
    with pytest.raises(ValueError, match="at least one is needed"):
        make_fabric(devices=0)


def test_precision_fits_the_device() -> None:
    with pytest.raises(ValueError, match="16-mixed needs a GPU; use bf16-mixed"):
        make_fabric("16-mixed", accelerator="cpu")


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    """Gradients are averaged over the processes: both end with the same weights, and only the first one writes."""
    script = tmp_path / "both.py"
    script.write_text(SCRIPT)
    out = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, str(script), *COMMAND, "--out", str(out), *TWO],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
    assert len(re.findall(r"epoch 2: loss", done.stdout + done.stderr)) == 1
    assert len(list(out.glob("events*"))) == 1


def test_the_command_starts_its_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "train.run", *COMMAND, "epochs=1", "--out", str(tmp_path), *TWO]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "WARN" not in done.stderr.upper() and "distributed" not in done.stderr
    assert done.stdout.count("weights: ") == 1


def losses(out: Path) -> list[float]:
    """The loss of every step of a run."""
    events = EventAccumulator(str(out))
    events.Reload()
    scalars = events.Scalars("loss/train")
    assert [scalar.step for scalar in scalars] == list(range(1, len(scalars) + 1))
    return [scalar.value for scalar in scalars]


def test_two_processes_of_which_one_is_killed_have_the_losses_of_one_process(tmp_path: Path) -> None:
    """The processes that torchrun starts again resume at the training state."""
    short = [*COMMAND, "epochs=1", "save_every_steps=1", "val_fraction=0"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*short, "accumulate_batches=2", "--out", str(one), "--accelerator", "cpu", "--threads", "1"]) == 0
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "1"]
    done = subprocess.run(
        [*launcher, "--standalone", str(script), *short, "--out", str(two), "--accelerator", "cpu", "--threads", "1"],
        # Without the last one, processes that are started again may find addresses of those before.
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert "resumed at epoch 0, step 2" in done.stdout + done.stderr
    assert "exitcode: -9" in done.stderr
    expected = losses(one)
    assert len(expected) == 8 and losses(two) == pytest.approx(expected, rel=0.01)
    # The dropout, the batches and the schedule are the same: before rounding errors grow, so is the loss.
    assert losses(two)[:3] == pytest.approx(expected[:3], rel=1e-4)


def test_a_launcher_says_how_many_processes_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fabric, "launch", lambda self: None)
    for name, value in {"RANK": 5, "LOCAL_RANK": 1, "WORLD_SIZE": 6, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 2}.items():
        monkeypatch.setenv(name, str(value))
    fabric = make_fabric(accelerator="cpu")
    assert isinstance(fabric.strategy, DDPStrategy)
    assert (fabric.strategy.num_nodes, fabric.strategy.num_processes) == (3, 2)
    with pytest.raises(ValueError, match="3 devices are asked for, and the launcher started 2 processes"):
        make_fabric(accelerator="cpu", devices=3)
    monkeypatch.setenv("WORLD_SIZE", "5")
    with pytest.raises(ValueError, match="every machine needs equally many"):
        make_fabric(accelerator="cpu")


@pytest.mark.usefixtures("two_gpus")
def test_bf16_needs_a_gpu_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: False)
    with pytest.raises(ValueError, match="this GPU does not compute in bf16; use precision 16-mixed"):
        make_fabric("bf16-mixed")
