"""Devices, precision and processes of a run, by Lightning Fabric."""

import logging
import os
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import ClusterEnvironment, TorchElasticEnvironment
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
    own, and gradients are averaged over all of them. A process that torchrun or Ray Train started joins the others.

    Args:
        devices: GPUs, or processes on a CPU; where a launcher started the processes it says how many there are.
        find_unused_parameters: whether some batches leave out parameters of the network.

    Raises:
        ValueError: there are not as many devices, or they do not compute in this precision.
    """
    if devices < 1:
        raise ValueError(f"{devices} devices: at least one is needed")
    devices, nodes = _launched(devices)
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    if accelerator == "cuda" and devices > torch.cuda.device_count():
        raise ValueError(f"{devices} GPUs are asked for, and there are {torch.cuda.device_count()}")
    if accelerator == "cpu" and precision == "16-mixed":
        raise ValueError("precision 16-mixed needs a GPU; use bf16-mixed or 32-true")
    if accelerator == "cuda" and precision == "bf16-mixed" and not torch.cuda.is_bf16_supported():
        raise ValueError("this GPU does not compute in bf16; use precision 16-mixed")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # no banner at the start
    strategy = DDPStrategy(find_unused_parameters=find_unused_parameters) if devices * nodes > 1 else "auto"
    plugins: list[ClusterEnvironment] = [TorchElasticEnvironment()] if _has_launcher() else []
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        num_nodes=nodes,
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]
        plugins=plugins,  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def _has_launcher() -> bool:
    """Whether torchrun or Ray Train started this process; the processes that Fabric starts lack these variables."""
    return {"RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"} <= os.environ.keys()


def _launched(devices: int) -> tuple[int, int]:
    """Devices of each machine, and machines; without a launcher, the devices that are asked for on this one."""
    if not _has_launcher():
        return devices, 1
    here, everywhere = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if devices not in (1, here):
        raise ValueError(f"{devices} devices are asked for, and the launcher started {here} processes; leave them out")
    if everywhere % here:
        raise ValueError(f"{everywhere} processes, {here} of them here: every machine needs equally many")
    return here, everywhere // here
