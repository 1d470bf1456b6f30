"""Devices, precision and processes of a run, by Lightning Fabric."""

import logging
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy

__all__ = ["Accelerator", "make_fabric"]

Accelerator = Literal["auto", "cpu", "cuda"]


def make_fabric(
    precision: str = "32-true",
    *,
    accelerator: Accelerator = "auto",
    devices: int = 1,
    find_unused_parameters: bool = False,
) -> Fabric:
    """A launched Fabric.

    With several devices it starts a process for each, which runs the same command; every process has a device of its
    own, and gradients are averaged over all of them.

    Args:
        devices: GPUs, or processes on a CPU.
        find_unused_parameters: whether some batches leave out parameters of the network.

    Raises:
        ValueError: there are not as many devices, or they do not compute in this precision.
    """
    if devices < 1:
        raise ValueError(f"{devices} devices: at least one is needed")
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    if accelerator == "cuda" and devices > torch.cuda.device_count():
        raise ValueError(f"{devices} GPUs are asked for, and there are {torch.cuda.device_count()}")
    if accelerator == "cpu" and precision == "16-mixed":
        raise ValueError("precision 16-mixed needs a GPU; use bf16-mixed or 32-true")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # no banner at the start
    strategy = DDPStrategy(find_unused_parameters=find_unused_parameters) if devices > 1 else "auto"
    fabric = Fabric(accelerator=accelerator, devices=devices, strategy=strategy, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric
