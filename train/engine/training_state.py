"""Everything that a training run needs to go on as if it had never stopped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

__all__ = ["Ema", "Progress", "load_state", "save_state"]


class Ema:
    """Exponential moving average of a network's tensors; the young average forgets faster."""

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.updates = 0
        self.tensors = {name: t.detach().clone() for name, t in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        now = network.state_dict()
        names = [name for name, tensor in now.items() if tensor.is_floating_point()]
        # All at once: one by one they keep a fast device waiting.
        average = get_ema_multi_avg_fn(decay)
        average([self.tensors[name] for name in names], [now[name] for name in names], self.updates)
        for name in now.keys() - set(names):
            self.tensors[name].copy_(now[name])


@dataclass
class Progress:
    """Where a run stands: the next batch of an epoch, optimiser steps and seconds so far, the best score."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    since_best: int = 0


def save_state(
    path: Path,
    progress: Progress,
    network: nn.Module,
    ema: Ema,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    config: dict[str, Any],
) -> None:
    """Writes a checkpoint; a run that dies while it writes keeps the one before."""
    state = {
        "progress": vars(progress),
        "network": network.state_dict(),
        "ema": ema.tensors,
        "ema_updates": ema.updates,
        "optimiser": optimiser.state_dict(),
        "scaler": scaler.state_dict(),
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "config": config,
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_state(
    path: Path,
    network: nn.Module,
    ema: Ema,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    config: dict[str, Any],
) -> Progress:
    """Restores all of a run. Raises ValueError where the run had another config."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    # A resumed run may be given more time; nothing else may differ.
    differing = [k for k in config if k != "minutes" and state["config"].get(k) != config[k]]
    if differing:
        raise ValueError(f"{path} is of a run with other {', '.join(differing)}; choose another --out")
    network.load_state_dict(state["network"])
    for name, tensor in state["ema"].items():
        ema.tensors[name].copy_(tensor)
    ema.updates = state["ema_updates"]
    optimiser.load_state_dict(state["optimiser"])
    scaler.load_state_dict(state["scaler"])
    torch.set_rng_state(state["random"])
    if state["cuda_random"]:
        torch.cuda.set_rng_state_all(state["cuda_random"])
    return Progress(**state["progress"])
