"""Latency and memory of a running server, one request at a time."""

import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from resformer.scripts.torchserve.server import Server, ServerError

__all__ = ["benchmark_endpoint", "latencies", "resident_mebibytes"]

WARM_UP = 3  # requests


def latencies(server: Server, photos: Sequence[bytes], headers: dict[str, str], requests: int) -> list[float]:
    """Milliseconds of each request, from sending the photo to having the whole answer.

    Args:
        server: runs.
        photos: sent in turn.
        headers: of every request.
        requests: how many are timed, after a few that are not.

    Raises:
        ServerError: the server answers one with another status than 200.
    """
    times = []
    for i, photo in enumerate(itertools.islice(itertools.cycle(photos), WARM_UP + requests)):
        began = time.perf_counter()
        reply = server.predict(photo, headers)
        milliseconds = 1000 * (time.perf_counter() - began)
        if reply.status != 200:
            raise ServerError(f"the server answered with {reply.status}: {reply.body}")
        if i >= WARM_UP:
            times.append(milliseconds)
    return times


def resident_mebibytes(pid: int) -> float:
    """Resident memory of a process and all its descendants."""
    process = psutil.Process(pid)
    return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]) / 2**20


def benchmark_endpoint(
    photos: Path, readers: Sequence[str], entity_groups: Mapping[str, Sequence[str]], *, limit: int, port: int
) -> dict[str, Any]:
    """Latency of every reader and group of entities, and the memory of Java and its workers.

    Args:
        photos: folder of photos, sent in the order of their names.
        readers: of the requests.
        entity_groups: by name, the entities of a request; empty: everything.
        limit: number of requests of each kind.
        port: of the server.

    Raises:
        ValueError: the folder holds no files.
        ServerError: the server does not run, or does not answer.
    """
    server = Server(port)
    files = [file.read_bytes() for file in sorted(f for f in photos.iterdir() if f.is_file())[:limit]]
    if not files:
        raise ValueError(f"{photos} holds no photos")
    requests = []
    for reader, (group, entities) in itertools.product(readers, entity_groups.items()):
        headers = {"X-Reader": reader, "X-Entity-Name": ",".join(entities)}
        times = sorted(latencies(server, files, headers, limit))
        requests.append(
            {
                "photos": f"{photos.parent.name} {photos.name}",
                "entities": group,
                "reader": reader,
                "requests": len(times),
                "median_ms": statistics.median(times),
                "p95_ms": times[int(0.95 * len(times))],
                "photos_per_second": 1000 / statistics.mean(times),
                "memory_mib": resident_mebibytes(server.pid) if server.pid is not None else None,
            }
        )
    return {"workers": len(server.workers()), "requests": requests}
