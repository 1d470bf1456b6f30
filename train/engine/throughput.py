"""How much of a machine training uses."""

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["flops_of", "peak_flops"]

SIDE = {"cpu": 1024, "cuda": 8192}  # of the matrices
REPEATS = 4


def flops_of(work: Callable[[], object]) -> int:
    """Floating-point operations that some work takes, a multiplication with its addition counted as two."""
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def peak_flops(device: str, precision: torch.dtype) -> float:
    """Operations a second in a product of large matrices, the best of a few: what this machine can do at most."""
    kind = torch.device(device).type
    side = SIDE.get(kind, SIDE["cpu"])
    a, b = (torch.randn(side, side, device=device, dtype=precision) for _ in range(2))
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        product = a @ b
        product[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best
