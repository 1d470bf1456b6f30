"""Several processes that train one network together, as torchrun starts them."""

import os
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["Processes"]


class Processes:
    """This process among those that train together; alone where torchrun started none.

    Each takes its own batches; their gradients are averaged, so that the networks stay the same.

    Attributes:
        rank: number of this process, from 0 on. count: of all of them.
    """

    def __init__(self, device: str):
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if torch.device(device).type == "cuda" else "gloo")

    @property
    def first(self) -> bool:
        """Whether it is this process that writes files and speaks."""
        return self.rank == 0

    def mine(self, batches: Sequence[int]) -> Sequence[int]:
        """This process's part of the batches; all get equally many, and up to `count` - 1 are left out."""
        return batches[self.rank : len(batches) // self.count * self.count : self.count]

    def begin(self, network: nn.Module) -> None:
        """Gives all processes the network of the first one."""
        if self.count > 1:
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, 0)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Averages the gradients over the processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def agreed(self, number: float, device: str) -> float:
        """The first process's number, in single precision where there are others."""
        if self.count == 1:
            return number
        shared: Tensor = torch.tensor(
            [number], dtype=torch.float64 if device == "cpu" else torch.float32, device=device
        )
        dist.broadcast(shared, 0)
        return shared.item()
