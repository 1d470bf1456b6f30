"""The soak test: clients, kills and watch together, and what it came to."""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.lib.sample_photo import sample_photo_bytes
from resformer.scripts.soak.clients import Content, Tally, content, run_client
from resformer.scripts.soak.kills import kill_workers
from resformer.scripts.soak.watch import Watch
from resformer.scripts.soak.workload import Request, make_requests, send
from resformer.scripts.torchserve.server import Server
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["Plan", "soak_server"]

# Growth is judged over half the time, where that is no shorter: a heap grows until it is first collected.
JUDGED_SECONDS = 240.0
DESCRIPTORS_A_MINUTE = 10.0
SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Plan:
    """How a soak test goes.

    Attributes:
        seconds: For how long.
        clients: At the same time.
        kill_every: Seconds between kills of a worker; 0 is none.
        max_slope: MiB a minute that the memory of a process may grow by.
        seed: Of the choice of requests and workers.
    """

    seconds: float
    clients: int
    kill_every: float
    max_slope: float
    seed: int


def soak_server(server: Server, plan: Plan) -> dict[str, Any]:
    """Loads a server on this machine.

    Returns:
        Counts of requests and errors, times of recovery, memory of each process, and `failures`.

    Raises:
        ServerError: A request that is sent alone gets a 5xx error.
    """
    target = Target(server.port, server.key("inference"), sample_photo_bytes())
    requests = make_requests(target)
    right = {request.name: _alone(target, request) for request in requests}
    tally, watch = Tally(), Watch(server)
    ordinary = requests[0]
    end = time.monotonic() + plan.seconds
    with ThreadPoolExecutor(plan.clients + 2) as pool:
        watching = pool.submit(watch.run)
        clients = [
            pool.submit(run_client, target, requests, right, tally, end, plan.seed + i) for i in range(plan.clients)
        ]
        try:
            recovered = (
                kill_workers(
                    server,
                    target,
                    ordinary,
                    right[ordinary.name],
                    tally,
                    every=plan.kill_every,
                    end=end,
                    seed=plan.seed,
                )
                if plan.kill_every
                else []
            )
            for client in clients:
                client.result()
        finally:
            watch.stop()
        watching.result()
    return _figures(plan, tally, recovered, watch.figures())


def _alone(target: Target, request: Request) -> Content:
    answer = send(target, request)
    if not 200 <= answer.status < 500 or answer.fault:
        raise ServerError(f"the server answers {request.name!r} alone with {answer.status}: {answer.body[:200]!r}")
    return content(answer)


def _figures(plan: Plan, tally: Tally, recovered: Sequence[float], processes: list[dict[str, Any]]) -> dict[str, Any]:
    failures = list(tally.faults)
    judged = plan.seconds >= JUDGED_SECONDS
    for row in processes if judged else []:
        # A killed worker begins anew, so that a slope says nothing.
        if row["process"] == "worker" and plan.kill_every:
            continue
        if row["mib_a_minute"] > plan.max_slope:
            failures.append(f"the memory of {row['process']} grows by {row['mib_a_minute']} MiB a minute")
        if row["descriptors_a_minute"] > DESCRIPTORS_A_MINUTE:
            failures.append(f"{row['process']} opens {row['descriptors_a_minute']} descriptors a minute")
    requests = sum(tally.right.values())
    return {
        "seconds": plan.seconds,
        "clients": plan.clients,
        "requests": requests,
        "by_kind": dict(tally.right),
        "failed_first": tally.first_failed,
        "failed_first_share": round(tally.first_failed / max(requests, 1), 4),
        "errors": {str(status): count for status, count in sorted(tally.errors.items())},
        "seconds_p50": _percentile(tally.seconds, 0.5),
        "seconds_p95": _percentile(tally.seconds, 0.95),
        "kills": len(recovered),
        "recovery_p50": _percentile(recovered, 0.5),
        "recovery_p95": _percentile(recovered, 0.95),
        "processes": processes,
        "growth_judged": judged,
        "faults": len(failures),
        "failures": failures[:SHOWN_FAULTS],
    }


def _percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share of the values does not exceed; None of none."""
    return round(sorted(values)[math.ceil(share * len(values)) - 1], 2) if values else None
