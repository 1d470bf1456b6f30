"""The threads that a worker may use. Workers with more threads than cores between them lose most of their speed."""

import os
from pathlib import Path

import psutil

__all__ = ["available_cores", "equal_part", "worker_count"]

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
WORKER_SCRIPT = "model_service_worker.py"


def available_cores(quota_file: Path = CPU_QUOTA) -> int:
    """Cores that this process may use: its affinity, and in a container no more than the quota given to it."""
    cores = len(os.sched_getaffinity(0))
    if quota_file.is_file():
        quota, period = quota_file.read_text().split()
        if quota != "max":
            cores = min(cores, int(quota) // int(period))
    return max(1, cores)


def worker_count() -> int:
    """Workers of the server that started this one, itself included."""
    return max(1, sum(_is_worker(process) for process in psutil.Process(os.getppid()).children()))


def equal_part() -> int:
    """Threads for one worker when all workers share the cores equally."""
    return max(1, available_cores() // worker_count())


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any(argument.endswith(WORKER_SCRIPT) for argument in process.cmdline())
    except psutil.Error:  # It ended since it was listed.
        return False
