"""Connections that are slow, half, idle, too many or deaf: they must cost others nothing, and end."""

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from resformer.scripts.hostile.raw_exchange import Exchange, Outcome, Target
from resformer.scripts.hostile.wire import CLOSED, SILENT, Answer, Wire

__all__ = ["CASES"]

GROUP = "connections"
MEGABYTE = bytes(1_000_000)
# Beyond the ten seconds for which the server waits for a byte, and what it takes to notice.
PATIENCE = 15.0
CHUNKED = {"Transfer-Encoding": "chunked"}


@contextlib.contextmanager
def _wires(target: Target, count: int) -> Iterator[list[Wire]]:
    with ExitStack() as stack:
        yield [stack.enter_context(target.connect()) for _ in range(count)]


def _half_bodies(target: Target, key: str | None, count: int) -> Outcome:
    """Connections that say 19 MB and send one."""
    with _wires(target, count) as wires:
        for wire in wires:
            wire.send(target.head({"Content-Length": 19_000_000}, key=key) + MEGABYTE)
        refused = [wire.answer() for wire in wires] if key is not None else []
        return target.meanwhile(refused)


def _whole_bodies_wrong_key(target: Target) -> Outcome:
    """Connections that send 20 MB with a wrong key, whatever is answered."""
    with _wires(target, 40) as wires:
        for wire in wires:
            wire.send(target.head({"Content-Length": 20_000_000}, key="wrong"))
        for _ in range(20):
            for wire in wires:
                with contextlib.suppress(ConnectionError, BlockingIOError):
                    wire.socket.setblocking(False)
                    wire.socket.send(MEGABYTE)
        # A reset may overtake the answer.
        return target.meanwhile(wire.answer() for wire in wires)


def _ended(target: Target, sent: bytes, drip: bytes = b"", count: int = 1) -> Outcome:
    """Connections that stop, or send a byte now and then, and must be ended by the server."""
    with _wires(target, count) as wires:
        for wire in wires:
            wire.send(sent)
        outcome = target.meanwhile()
        deadline = time.monotonic() + PATIENCE
        answers: list[Answer] = []
        for wire in wires:
            answer = Answer(SILENT, {}, b"")
            while answer.status == SILENT and time.monotonic() < deadline:
                for other in wires if drip else []:
                    with contextlib.suppress(OSError):
                        other.socket.send(drip)
                answer = wire.answer(timeout=1.0)
            answers.append(answer)
    return Outcome((*outcome.answers, *answers), outcome.seconds)


def _slow_body(target: Target) -> Outcome:
    with target.connect() as wire:
        wire.send(target.head({"Content-Length": len(target.photo)}))
        step = len(target.photo) // 4
        wire.send(target.photo[:step])
        outcome = target.meanwhile()
        for start in (step, 2 * step):
            time.sleep(1.0)
            wire.send(target.photo[start : start + step])
        wire.send(target.photo[3 * step :])
        return Outcome((*outcome.answers, wire.answer()), outcome.seconds)


def _half_closed(target: Target) -> Outcome:
    began = time.perf_counter()
    with target.connect() as wire:
        wire.send(target.request())
        wire.socket.shutdown(socket.SHUT_WR)
        answer = wire.answer()
    return Outcome((answer,), time.perf_counter() - began)


def _idle(target: Target, count: int) -> Outcome:
    with _wires(target, count):
        return target.meanwhile()


def _churn(target: Target) -> Outcome:
    for _ in range(2000):
        target.connect().close()
    return target.meanwhile()


def _resets(target: Target) -> Outcome:
    """Requests whose senders reset the connection as soon as they are sent."""
    for _ in range(30):
        wire = target.connect()
        wire.send(target.request())
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.close()
    return target.meanwhile()


def _pipelined(target: Target, *, read: bool) -> Outcome:
    with target.connect() as wire:
        if not read:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.socket.sendall(10 * target.request())
        answers = [wire.answer() for _ in range(10)] if read else []
        return target.meanwhile(answers)


def _deaf(target: Target) -> Outcome:
    """Clients that ask for long errors again and again and read none of them."""
    with _wires(target, 50) as wires:
        request = target.head({"Content-Length": 0}, key="wrong") * 500
        for wire in wires:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                wire.socket.send(request)
        return target.meanwhile()


def _endless(target: Target, beginning: bytes, part: bytes, parts: int) -> Outcome:
    """Sends on until there is an answer."""
    began = time.perf_counter()
    with target.connect() as wire:
        sent = wire.send(beginning)
        for _ in range(parts):
            if not (sent := sent and wire.send(part)):
                break
        answer = wire.answer(timeout=5.0)
    return Outcome((answer,), time.perf_counter() - began)


def _after_the_refusal(target: Target) -> Outcome:
    """Goes on sending what was refused; the server must not read it for ever."""
    with target.connect() as wire:
        wire.send(target.head({"Content-Length": 20_000_000}, key="wrong"))
        answer = wire.answer()
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline:
                wire.socket.sendall(bytes(1000))
                time.sleep(0.2)
        except OSError:
            return target.meanwhile([answer])
    return target.meanwhile([answer, Answer(SILENT, {}, b"")])


def _on_the_probes(target: Target) -> Outcome:
    """A crowd of half requests at the port that needs no key."""
    with ExitStack() as stack:
        for _ in range(200):
            wire = stack.enter_context(target.connect(target.port + 4))
            wire.send(b"GET /ready HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000))
        return target.meanwhile()


TOO_LONG = frozenset({431})
REFUSED, TOO_LARGE, LATE = frozenset({401}), frozenset({413}), frozenset({408, CLOSED})
CASES = (
    Exchange(GROUP, "64 half bodies without a key", partial(_half_bodies, key="", count=64), REFUSED),
    Exchange(GROUP, "64 half bodies with a wrong key", partial(_half_bodies, key="wrong", count=64), REFUSED),
    Exchange(GROUP, "64 half bodies with the key", partial(_half_bodies, key=None, count=64)),
    Exchange(GROUP, "40 bodies of 20 MB with a wrong key", _whole_bodies_wrong_key, REFUSED | {CLOSED}),
    Exchange(GROUP, "a body that stops", lambda t: _ended(t, t.head({"Content-Length": 9000}) + b"x"), LATE),
    Exchange(
        GROUP,
        "a body that is awaited and never comes",
        # The answer 100 is passed over.
        lambda t: _ended(t, t.head({"Content-Length": 9000, "Expect": "100-continue"})),
        LATE,
    ),
    Exchange(GROUP, "a chunk that stops", lambda t: _ended(t, t.head(CHUNKED) + b"ffff\r\nx"), LATE),
    Exchange(GROUP, "200 heads, a byte a second", lambda t: _ended(t, t.head()[:-4], b"a", 200), LATE),
    Exchange(GROUP, "200 heads without an end", lambda t: _ended(t, b"PUT /predictions/resf", count=200), LATE),
    Exchange(GROUP, "200 connections without a word", lambda t: _ended(t, b"", count=200), LATE),
    Exchange(GROUP, "a body over three seconds", _slow_body),
    Exchange(GROUP, "closed for sending after the request", _half_closed),
    Exchange(GROUP, "2,000 idle connections", partial(_idle, count=2000)),
    Exchange(GROUP, "5,000 idle connections", partial(_idle, count=5000)),
    Exchange(GROUP, "2,000 connections, one after another", _churn),
    Exchange(GROUP, "30 requests whose sender resets", _resets),
    Exchange(GROUP, "10 requests at once on a connection", partial(_pipelined, read=True)),
    Exchange(GROUP, "10 answers that nobody reads", partial(_pipelined, read=False)),
    Exchange(GROUP, "25,000 errors that nobody reads", _deaf),
    Exchange(
        GROUP, "an endless head", lambda t: _endless(t, t.head()[:-2], b"X-A: b\r\n" * 100, 1000), frozenset({431})
    ),
    Exchange(
        GROUP, "an endless header", lambda t: _endless(t, t.head()[:-2] + b"X: ", b"a" * 9000, 1000), frozenset({431})
    ),
    Exchange(GROUP, "an endless URL", lambda t: _endless(t, b"PUT /", b"a" * 9000, 1000), frozenset({414})),
    Exchange(GROUP, "an endless method", lambda t: _endless(t, b"A", b"A" * 9000, 1000), frozenset({400, 414})),
    Exchange(
        GROUP,
        "an endless body in chunks",
        lambda t: _endless(t, t.head(CHUNKED), b"f4240\r\n" + MEGABYTE + b"\r\n", 60),
        TOO_LARGE,
    ),
    Exchange(GROUP, "60 MB", lambda t: _endless(t, t.head({"Content-Length": 60_000_000}), MEGABYTE, 60), TOO_LARGE),
    Exchange(GROUP, "sending on after the refusal", _after_the_refusal, REFUSED),
    Exchange(GROUP, "200 half requests at the probes", _on_the_probes),
)
