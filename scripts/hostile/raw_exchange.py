"""What cannot be said as one request: an exchange over sockets of its own design, and what came of it."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resformer.scripts.hostile.case import Call
from resformer.scripts.hostile.wire import Answer, Wire, head

__all__ = ["FAST", "PREDICTIONS", "Exchange", "Fault", "Outcome", "Target", "send_call"]

PREDICTIONS = "/predictions/resformer"
# Of the reader that answers soonest.
FAST = {"X-Reader": "builtin"}


@dataclass(frozen=True)
class Fault(Answer):
    """An answer that is wrong whatever its status: `reason` says why."""

    reason: str

    @property
    def fault(self) -> str:
        """The reason."""
        return self.reason


@dataclass(frozen=True)
class Outcome:
    """What came of an exchange.

    Attributes:
        answers: All that came back, but for that of an ordinary photo meanwhile, unless it is a fault.
        seconds: How long the server took, or where the exchange is slow by itself, how long it took to answer an
            ordinary photo meanwhile.
    """

    answers: tuple[Answer, ...]
    seconds: float


@dataclass(frozen=True)
class Target:
    """The server under attack.

    Attributes:
        port: Of its predictions.
        key: Which it accepts.
        photo: An ordinary one.
    """

    port: int
    key: str
    photo: bytes

    def connect(self, port: int | None = None, *, timeout: float = 75.0) -> Wire:
        """A new connection."""
        return Wire(port or self.port, timeout=timeout)

    def head(
        self,
        headers: Mapping[str, Any] | None = None,
        *,
        method: str = "PUT",
        path: str = PREDICTIONS,
        key: str | None = None,
    ) -> bytes:
        """The head of a request with the right key, or another one."""
        fixed = {"Host": "localhost", "Authorization": f"Bearer {self.key if key is None else key}"}
        return head(method, path, {**fixed, **FAST, **(headers or {})})

    def request(self, headers: Mapping[str, Any] | None = None, **parts: str) -> bytes:
        """A request about the ordinary photo."""
        return self.head({"Content-Length": len(self.photo), **(headers or {})}, **parts) + self.photo

    def ordinary(self) -> tuple[Answer, float]:
        """The answer about the ordinary photo, and the seconds that it took."""
        return self.timed(self.request())

    def timed(
        self, data: bytes, method: str = "PUT", *, parts: int = 1, pause: float = 0.0, timeout: float = 75.0
    ) -> tuple[Answer, float]:
        """The answer to bytes on a connection of their own, and the seconds that it took.

        Args:
            data: A whole request.
            method: Of it.
            parts: In which it is sent, with a pause of so many seconds before each but the first.
            pause: See there.
            timeout: Until the answer, in seconds.
        """
        began = time.perf_counter()
        with self.connect(timeout=timeout) as wire:
            size = -(-len(data) // parts)
            for start in range(0, len(data), size):
                if start:
                    time.sleep(pause)
                if not wire.send(data[start : start + size]):
                    break
            answer = wire.answer(method)
        return answer, time.perf_counter() - began

    def meanwhile(self, answers: Iterable[Answer] = ()) -> Outcome:
        """The outcome of an exchange under way: how soon an ordinary photo is answered, which nothing may prevent."""
        ordinary, seconds = self.ordinary()
        if ordinary.status == 200:
            return Outcome(tuple(answers), seconds)
        reason = f"meanwhile an ordinary photo got {ordinary.status}: {ordinary.body[:80]!r}"
        return Outcome((Fault(**vars(ordinary), reason=reason), *answers), seconds)


@dataclass(frozen=True)
class Exchange:
    """An exchange that means harm.

    Attributes:
        group, name: See Case.
        run: Has it with a server.
        statuses: Those that each answer may have; see also CLOSED and SILENT of the wire.
    """

    group: str
    name: str
    run: Callable[[Target], Outcome]
    statuses: frozenset[int] = field(default=frozenset({200}))


def send_call(target: Target, call: Call) -> Outcome:
    """Sends a request with the key, unless it has one of its own."""
    fixed = {
        "Host": "localhost",
        "Authorization": f"Bearer {target.key}",
        "Content-Length": str(len(call.body)),
    }
    own = {name.lower() for name in call.headers}
    headers = {**{name: value for name, value in fixed.items() if name.lower() not in own}, **call.headers}
    answer, seconds = target.timed(head(call.method, call.path, headers) + call.body, call.method)
    return Outcome((answer,), seconds)
