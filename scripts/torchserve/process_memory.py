"""Memory and descriptors of all processes of a server, children included."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from resformer.scripts.torchserve.server import Server

__all__ = ["Usage", "peak_bytes", "reset_peaks", "server_processes", "usage"]

RESET_PEAK = "5"  # proc(5), clear_refs


@dataclass(frozen=True)
class Usage:
    """Of one process: its resident memory, and how many files and sockets it has open."""

    bytes: int
    descriptors: int


def server_processes(server: Server) -> dict[str, list[psutil.Process]]:
    """The processes by name: nginx, TorchServe, worker, the monitor. One that just ended is left out."""
    found: dict[str, list[psutil.Process]] = {}
    for name, pid in server.processes().items():
        with contextlib.suppress(psutil.NoSuchProcess):
            if pid is not None:
                process = psutil.Process(pid)
                found.setdefault(name, []).append(process)
                for child in process.children(recursive=True):
                    found.setdefault("worker" if name == "TorchServe" else name, []).append(child)
    return found


def usage(process: psutil.Process) -> Usage | None:
    """What a process has now, None where it has ended."""
    try:
        return Usage(int(process.memory_info().rss), process.num_fds())
    except psutil.NoSuchProcess:
        return None


def reset_peaks(server: Server) -> None:
    """Makes peak_bytes count from now on."""
    for pid in _pids(server):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)


def peak_bytes(server: Server) -> int:
    """The largest resident memory since reset_peaks, summed over the processes, whose peaks need not coincide."""
    total = 0
    for pid in _pids(server):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            total += int(fields.get("VmHWM", "0 kB").split()[0]) * 1024
    return total


def _pids(server: Server) -> list[int]:
    return [process.pid for processes in server_processes(server).values() for process in processes]
