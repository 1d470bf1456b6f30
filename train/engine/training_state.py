"""The training state: what a run resumes from, with the same result as if it had not stopped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

TensorList = tuple[Tensor, ...] | list[Tensor]

__all__ = ["Progress", "SavedRun", "averaged_model", "load_state", "read_saved_run", "save_state"]


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        batch: the next of the epoch. step: optimizer steps so far. seconds: spent on them.
        best: the best score. since_best: evaluations after it.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    since_best: int = 0

    def out_of_patience(self, patience: int) -> bool:
        """Whether as many evaluations brought no better score; never for 0."""
        return 0 < patience <= self.since_best

    def done(self, epochs: int, patience: int) -> bool:
        """Whether the epochs or the patience ended."""
        return self.epoch >= epochs or self.out_of_patience(patience)


@dataclass(frozen=True)
class SavedRun:
    """What a training state says about its run: finished epochs, all epochs, and whether nothing is left to train."""

    epoch: int
    epochs: int
    done: bool


def averaged_model(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of a network's parameters and buffers.

    The decay is lower at first, so that the initial weights are soon forgotten.
    """

    @torch.no_grad()
    def average(averaged: TensorList, current: TensorList, num_averaged: Tensor | int) -> None:
        count = int(num_averaged)
        if averaged[0].is_floating_point():
            get_ema_multi_avg_fn(min(decay, (1 + count) / (10 + count)))(averaged, current, count)
        else:
            for old, new in zip(averaged, current, strict=True):
                old.copy_(new)

    model = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    model.requires_grad_(False)
    return model.eval()


def save_state(
    path: Path,
    progress: Progress,
    network: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    fabric: Fabric,
    fingerprint: dict[str, Any],
) -> None:
    """Writes the state; a run that dies meanwhile keeps the state before."""
    state = {
        "progress": vars(progress),
        "network": network.state_dict(),
        "ema": ema.state_dict(),
        "optimizer": optimizer.state_dict(),
        "precision": fabric.strategy.precision.state_dict(),
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "fingerprint": fingerprint,
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_state(
    path: Path,
    network: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    fabric: Fabric,
    fingerprint: dict[str, Any],
) -> Progress:
    """Restores a run. Raises ValueError: it had another fingerprint."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    if "fingerprint" not in state:
        raise ValueError(f"{path} was written by another version of the code; choose another --out")
    differing = [k for k in fingerprint if state["fingerprint"].get(k) != fingerprint[k]]
    if differing:
        raise ValueError(f"{path} is of a run with other {', '.join(differing)}; choose another --out or remove it")
    network.load_state_dict(state["network"])
    ema.load_state_dict(state["ema"])
    optimizer.load_state_dict(state["optimizer"])
    fabric.strategy.precision.load_state_dict(state["precision"])
    torch.set_rng_state(state["rng"])
    if state["cuda_rng"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda_rng"])
    return Progress(**state["progress"])


def read_saved_run(path: Path) -> SavedRun:
    """How far the run of a training state has come; its tensors are not read."""
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    progress, settings = Progress(**state["progress"]), state["fingerprint"]
    done = progress.done(settings["epochs"], settings["patience"])
    return SavedRun(progress.epoch, settings["epochs"], done)
