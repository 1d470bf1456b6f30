"""Sends hostile cases to a running server, one after the other, and measures what each one cost it."""

import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from resformer.model.ocr.readers import READERS
from resformer.scripts.hostile.case import Case
from resformer.scripts.hostile.raw_exchange import Exchange, Outcome, Target, send_call
from resformer.scripts.hostile.wire import CLOSED, SILENT
from resformer.scripts.torchserve.process_memory import peak_bytes, reset_peaks
from resformer.scripts.torchserve.server import Server
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["Limits", "attack"]

REST_SECONDS = 12.0  # after a group, in which Java gives memory back: the next one begins with an idle server
WARM_UP = 5  # ordinary photos for each reader
# After a group the server must be back within so many MiB of what it had idle, in so long. Some 100 MiB stay for good:
# what libraries keep for each new size of photo.
SETTLED_MEBIBYTES, SETTLE_SECONDS = 256.0, 60.0
WORDS = {CLOSED: "closed", SILENT: "silent"}


@dataclass(frozen=True)
class Limits:
    """What a case may cost.

    Attributes:
        seconds: Until an answer.
        mebibytes: Of memory above that of the idle server.
    """

    seconds: float = 2.0
    mebibytes: float = 512.0


def attack(server: Server, cases: Sequence[Case | Exchange], photo: bytes, limits: Limits) -> dict[str, Any]:
    """Sends the cases.

    Args:
        server: Runs, on this machine.
        cases: Those of one group one after the other.
        photo: An ordinary one, which must get the same answer after each group, when the server must also have given
            back what memory it took.
        limits: What counts as a failure beside a status that is not listed and a lost worker.

    Returns:
        `idle_mib`, `ordinary_seconds`, `limits`, and `cases` with statuses, seconds, memory and failures of each.

    Raises:
        ServerError: The ordinary photo is not answered before the first case.
    """
    target = Target(server.port, server.key("inference"), photo)
    before, _ = target.ordinary()
    if before.status != 200:
        raise ServerError(f"the server answers an ordinary photo with {before.status}: {before.body[:200]!r}")
    # A reader is loaded when it is first asked for; the idle server is one that has them all.
    for reader in READERS:
        for _ in range(WARM_UP):
            target.timed(target.request({"X-Reader": reader}))
    seconds = [target.ordinary()[1] for _ in range(WARM_UP)]
    idle = _resident_bytes(server)
    rows = []
    for group, members in groupby(cases, key=lambda case: case.group):
        found = [_measured(server, target, case, idle, limits) for case in _shown(group, list(members))]
        after, _ = target.ordinary()
        if not _equal(after.body, before.body):
            found[-1]["failures"].append(f"afterwards an ordinary photo gets another answer: {after.body[:80]!r}")
        time.sleep(REST_SECONDS)
        kept = _settled_mebibytes(server, idle)
        if kept > SETTLED_MEBIBYTES:
            found[-1]["failures"].append(f"afterwards the server keeps {kept:.0f} MiB")
        rows += found
    return {
        "idle_mib": round(idle / 2**20),
        "ordinary_seconds": round(statistics.median(seconds), 3),
        "limits": vars(limits),
        "cases": rows,
    }


def _measured(server: Server, target: Target, case: Case | Exchange, idle: int, limits: Limits) -> dict[str, Any]:
    workers = _workers(server)
    reset_peaks(server)
    outcome = send_call(target, case.make()) if isinstance(case, Case) else case.run(target)
    memory = (peak_bytes(server) - idle) / 2**20
    statuses = sorted({answer.status for answer in outcome.answers})
    failures = list(_failures(case, outcome, limits))
    if memory > limits.mebibytes:
        failures.append(f"took {memory:.0f} MiB")
    if _workers(server) != workers:
        failures.append("a worker was lost")
    return {
        "group": case.group,
        "name": case.name,
        "statuses": [WORDS.get(status, status) for status in statuses],
        "seconds": round(outcome.seconds, 3),
        "memory_mib": round(memory),
        "failures": failures,
    }


def _settled_mebibytes(server: Server, idle: int) -> float:
    """Memory above idle that the server still has after SETTLE_SECONDS, or as soon as that is little."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        kept = (_resident_bytes(server) - idle) / 2**20
        if kept <= SETTLED_MEBIBYTES or time.monotonic() > deadline:
            return kept
        time.sleep(1)


def _resident_bytes(server: Server) -> int:
    reset_peaks(server)
    return peak_bytes(server)


def _failures(case: Case | Exchange, outcome: Outcome, limits: Limits) -> Iterator[str]:
    allowed = ", ".join(str(WORDS.get(status, status)) for status in sorted(case.statuses))
    for status in sorted({answer.status for answer in outcome.answers} - case.statuses):
        yield f"got {WORDS.get(status, status)}, may get {allowed}"
    yield from sorted({answer.fault for answer in outcome.answers if answer.fault})
    if outcome.seconds > limits.seconds:
        yield f"took {outcome.seconds:.1f} s"


def _workers(server: Server) -> set[int]:
    return {worker["pid"] for worker in server.workers()}


def _equal(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _shown(group: str, cases: list[Case | Exchange]) -> Iterator[Case | Exchange]:
    """The cases, while a line tells how far it is."""
    for number, case in enumerate(cases, 1):
        print(f"\r\033[K{group} {number}/{len(cases)}: {case.name[:60]}", end="", file=sys.stderr, flush=True)
        yield case
    print(f"\r\033[K{group}: {len(cases)}", file=sys.stderr)
