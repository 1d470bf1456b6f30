"""Memory and descriptors of a server over time, by process."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import linear_regression
from typing import Any

from resformer.scripts.torchserve.process_memory import server_processes, usage
from resformer.scripts.torchserve.server import Server

__all__ = ["Watch"]

EVERY_SECONDS = 2.0


@dataclass
class Watch:
    """Samples what the processes of a server have, until it is stopped."""

    server: Server
    _samples: list[tuple[float, dict[str, tuple[int, int]]]] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Takes samples; ends after stop."""
        while not self._stopped.wait(EVERY_SECONDS):
            sample = {}
            for name, processes in server_processes(self.server).items():
                used = [one for one in map(usage, processes) if one]
                sample[name] = (sum(one.bytes for one in used), sum(one.descriptors for one in used))
            self._samples.append((time.monotonic(), sample))

    def stop(self) -> None:
        """Has run end."""
        self._stopped.set()

    def figures(self) -> list[dict[str, Any]]:
        """For each process its peak, and how it grew in the second half of the time, a minute."""
        half = self._samples[len(self._samples) // 2 :]
        names = sorted({name for _, sample in self._samples for name in sample})
        rows = []
        for name in names:
            series = [(when, sample[name]) for when, sample in half if name in sample]
            peak = max(sample[name][0] for _, sample in self._samples if name in sample)
            rows.append(
                {
                    "process": name,
                    "peak_mib": round(peak / 2**20),
                    "mib_a_minute": _slope([(when, values[0] / 2**20) for when, values in series]),
                    "peak_descriptors": max(sample[name][1] for _, sample in self._samples if name in sample),
                    "descriptors_a_minute": _slope([(when, values[1]) for when, values in series]),
                }
            )
        return rows


def _slope(series: Sequence[tuple[float, float]]) -> float:
    """Growth a minute by least squares; 0 for fewer than two samples."""
    if len(series) < 2:
        return 0.0
    times, values = zip(*series, strict=True)
    return round(60 * linear_regression(times, values).slope, 2)
