"""Times a running server, one photo after another, and its memory.

python -m scripts.torchserve.benchmark photos/ --reader none [--entities width,height] [--port 8080] [--requests 100]
"""

import argparse
import itertools
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import psutil

from resformer.model.ocr.readers import DEFAULT_READER
from resformer.scripts.torchserve.server import Server, ServerError

__all__ = ["latencies", "main", "resident_mebibytes"]

WARM_UP = 3


def latencies(server: Server, photos: list[bytes], headers: dict[str, str], requests: int) -> list[float]:
    """Milliseconds of each request, from sending the photo to having the whole answer.

    Raises: ServerError: the server did not answer one with 200.
    """
    times = []
    for number, photo in enumerate(itertools.islice(itertools.cycle(photos), WARM_UP + requests)):
        begin = time.perf_counter()
        reply = server.predict(photo, headers)
        milliseconds = 1000 * (time.perf_counter() - begin)
        if reply.status != 200:
            raise ServerError(f"the server answered with {reply.status}: {reply.body}")
        if number >= WARM_UP:
            times.append(milliseconds)
    return times


def resident_mebibytes(pid: int) -> float:
    """Resident memory of a process and all under it."""
    process = psutil.Process(pid)
    return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]) / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description="Time a running server.")
    parser.add_argument("photos", type=Path, help="folder of photos, sent in the order of their names")
    parser.add_argument("--reader", default=DEFAULT_READER)
    parser.add_argument("--entities", default="", help="what is asked (everything)")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    server = Server(arguments.port)
    files = sorted(f for f in arguments.photos.iterdir() if f.is_file())[: arguments.requests]
    try:
        if not files:
            raise ServerError(f"no files in {arguments.photos}")
        headers = {"X-Reader": arguments.reader, "X-Entity-Name": arguments.entities}
        times = latencies(server, [f.read_bytes() for f in files], headers, arguments.requests)
        workers = server.workers()
    except (ServerError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    ordered = sorted(times)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {len(workers)} worker(s)")
    asked = f"reader {arguments.reader}, {arguments.entities or 'all entities'}"
    print(f"{asked}, {len(times)} requests of {len(files)} photos, one at a time")
    print(f"median {statistics.median(times):.0f} ms, p95 {ordered[int(0.95 * len(ordered))]:.0f} ms")
    print(f"mean {statistics.mean(times):.0f} ms, {1000 / statistics.mean(times):.2f} photos per second")
    if server.pid is not None:
        print(f"resident, Java and workers: {resident_mebibytes(server.pid):.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
