"""Clients that send again what failed, and hold every answer against the one that the request gets alone."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resformer.scripts.hostile.raw_exchange import Target
from resformer.scripts.hostile.wire import Answer
from resformer.scripts.soak.workload import WEIGHTS, Request, send

__all__ = ["Content", "Tally", "ask_until_right", "content", "run_client"]

# For as long a request is sent again.
PATIENCE = 180.0
RETRY_SECONDS = 0.5
Content = tuple[int, Any]


@dataclass
class Tally:
    """What happened to the requests of all clients.

    Attributes:
        right: Requests with the right answer in the end, by kind.
        first_failed: Of these, those whose first answer was a 5xx error.
        errors: 5xx errors by status.
        seconds: From the first sending to the right answer, of those that did not fail.
        faults: Wrong answers and lost requests.
    """

    right: Counter[str] = field(default_factory=Counter)
    first_failed: int = 0
    errors: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: Request, seconds: float, errors: Sequence[int], fault: str | None) -> None:
        """Counts one request."""
        with self._lock:
            self.errors.update(errors)
            if fault:
                self.faults.append(f"{request.name}: {fault}")
                return
            self.right[request.kind] += 1
            if errors:
                self.first_failed += 1
            else:
                self.seconds.append(seconds)


def content(answer: Answer) -> Content:
    """What two equal answers agree in."""
    try:
        return answer.status, json.loads(answer.body)
    except ValueError:
        return answer.status, answer.body


def ask_until_right(target: Target, request: Request, right: Content, tally: Tally) -> None:
    """Sends a request until it gets its answer. Anything but that answer and a 5xx error in JSON is a fault."""
    began = time.monotonic()
    errors: list[int] = []
    fault = None
    while True:
        answer = send(target, request)
        if content(answer) == right:
            break
        if answer.status < 500:
            fault = f"got {answer.status} {answer.body[:200]!r} instead of {right[0]}"
            break
        if answer.fault:
            fault = answer.fault
            break
        errors.append(answer.status)
        if time.monotonic() - began > PATIENCE:
            fault = f"no answer but errors within {PATIENCE:.0f} s: {Counter(errors)}"
            break
        time.sleep(float(answer.headers.get("retry-after", RETRY_SECONDS)))
    tally.add(request, time.monotonic() - began, errors, fault)


def run_client(
    target: Target, requests: Sequence[Request], right: Mapping[str, Content], tally: Tally, end: float, seed: int
) -> None:
    """Sends requests until a time of time.monotonic."""
    choice = random.Random(seed)
    kinds = {kind: [request for request in requests if request.kind == kind] for kind in WEIGHTS}
    while time.monotonic() < end:
        (kind,) = choice.choices(list(WEIGHTS), list(WEIGHTS.values()))
        request = choice.choice(kinds[kind])
        ask_until_right(target, request, right[request.name], tally)
