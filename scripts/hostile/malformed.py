"""HTTP that is none: smuggling, odd lengths and lines, other protocols, addresses that lead elsewhere."""

import time
from collections.abc import Callable

from resformer.scripts.hostile.raw_exchange import PREDICTIONS, Exchange, Outcome, Target
from resformer.scripts.hostile.wire import CLOSED

__all__ = ["CASES"]

GROUP = "malformed HTTP"
SMUGGLED = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = {"Transfer-Encoding": "chunked"}
OK, MALFORMED, NOWHERE, NO_METHOD = frozenset({200}), frozenset({400}), frozenset({404}), frozenset({405})
TOO_LARGE = frozenset({431})
TLS_HELLO = bytes.fromhex("16030100a5010000a10303") + bytes(160)


def _raw(name: str, statuses: frozenset[int], make: Callable[[Target], bytes], answers: int = 1) -> Exchange:
    """Bytes on one connection, which must get so many answers and no further one."""

    def run(target: Target) -> Outcome:
        began = time.perf_counter()
        with target.connect() as wire:
            wire.send(make(target))
            got = [wire.answer() for _ in range(answers)]
            seconds = time.perf_counter() - began
            # A request that is hidden in another one would have its answer now.
            further = wire.answer(timeout=0.1)
        return Outcome((*got, *([further] if further.status > 0 else [])), seconds)

    return Exchange(GROUP, name, run, statuses)


def _header(name: str, value: str) -> Callable[[Target], bytes]:
    return lambda target: target.request({name: value})


def _line(line: bytes) -> Callable[[Target], bytes]:
    """A line among the headers that is sent as it stands."""
    return lambda target: target.request({"X-Mark": ""}).replace(b"X-Mark: \r\n", line)


def _length(value: str) -> Callable[[Target], bytes]:
    return lambda target: target.head({"Content-Length": value}) + b"12345"


def _chunks(body: bytes) -> Callable[[Target], bytes]:
    return lambda target: target.head(CHUNKED) + body


def _path(path: str) -> Callable[[Target], bytes]:
    return lambda target: target.request(path=path)


def _method(method: str) -> Callable[[Target], bytes]:
    return lambda target: target.head({"Content-Length": 0}, method=method)


def _version(version: bytes) -> Callable[[Target], bytes]:
    return lambda target: target.request().replace(b"HTTP/1.1", version, 1)


def _photo_chunk(target: Target, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    size = b"%x" % len(target.photo)
    return target.head(CHUNKED) + size + extension + b"\r\n" + target.photo + b"\r\n0\r\n" + trailer + b"\r\n"


def _bare_line_feeds(target: Target) -> bytes:
    return target.head({"Content-Length": len(target.photo)}).replace(b"\r\n", b"\n") + target.photo


def _tiny_chunks(target: Target) -> bytes:
    return target.head(CHUNKED) + b"".join(b"1\r\n%c\r\n" % byte for byte in target.photo) + b"0\r\n\r\n"


LENGTHS = (
    _raw("length and chunks", MALFORMED, lambda t: t.head({"Content-Length": 4, **CHUNKED}) + b"0\r\n\r\n" + SMUGGLED),
    _raw("two lengths", MALFORMED, _line(b"Content-Length: 4\r\n")),
    _raw("chunks, then identity", MALFORMED, _line(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n")),
    _raw("gzip of chunks", MALFORMED, lambda t: t.head({"Transfer-Encoding": "gzip, chunked"}) + b"0\r\n\r\n"),
    _raw("chunks by a tab", MALFORMED, lambda t: t.head({"Transfer-Encoding": "\tchunked"}) + b"0\r\n\r\n" + SMUGGLED),
    _raw("chunks by a space", MALFORMED, lambda t: t.head({"Transfer-Encoding ": "chunked"}) + b"0\r\n\r\n" + SMUGGLED),
    _raw("chunks by another name", MALFORMED, lambda t: t.head({"Transfer-Encoding": "xchunked"}) + b"0\r\n\r\n"),
    *(
        _raw(f"length {value}", MALFORMED, _length(value))
        for value in ("-5", "+5", "0x5", "5, 5", "5 5", "5;", "five", "9" * 23)
    ),
    _raw("no length", MALFORMED, lambda t: t.head()),
    _raw("a request behind the body", frozenset({200, 401}), lambda t: t.request() + SMUGGLED, answers=2),
)
CHUNKS = (
    _raw("chunk of 70 bits", MALFORMED, _chunks(b"f" * 18 + b"\r\nx")),
    _raw("chunk of 128 TiB", frozenset({413}), _chunks(b"7fffffffffff\r\nx")),
    _raw("chunk below zero", MALFORMED, _chunks(b"-1\r\nx")),
    _raw("chunk of no number", MALFORMED, _chunks(b"zz\r\nx")),
    _raw("chunk longer than it says", MALFORMED, _chunks(b"1\r\nxyz\r\n0\r\n\r\n")),
    _raw("chunks of a byte", OK, _tiny_chunks),
    _raw("chunk extension", OK, lambda t: _photo_chunk(t, b';a=b;c="\x01d"')),
    # The extension fills the buffer without end.
    _raw("chunk extension of 1 MB", frozenset({200, 400}), lambda t: _photo_chunk(t, b";" + b"a" * 1_000_000)),
    _raw("trailer with a key", OK, lambda t: _photo_chunk(t, trailer=b"Authorization: Bearer x\r\nX-Top-K: 9999\r\n")),
    _raw("trailers of 1 MB", frozenset({200, 400}), lambda t: _photo_chunk(t, trailer=b"A: b\r\n" * 150_000)),
)
LINES = (
    _raw("folded header", MALFORMED, _line(b"X-Entity-Name: width,\r\n height\r\n")),
    _raw("bare line feeds", OK, _bare_line_feeds),
    _raw("bare carriage return", MALFORMED, _line(b"X-A: b\rX-B: c\r\n")),
    _raw("NUL in a value", MALFORMED, _line(b"X-A: b\0c\r\n")),
    _raw("NUL in a name", MALFORMED, _line(b"X-\0A: b\r\n")),
    _raw("space in a name", MALFORMED, _line(b"X A: b\r\n")),
    _raw("no colon", OK, _line(b"nothing\r\n")),
    _raw("no host", MALFORMED, lambda t: t.request().replace(b"Host: localhost\r\n", b"")),
    _raw("two hosts", MALFORMED, _line(b"Host: elsewhere\r\n")),
    _raw("host with a path", MALFORMED, lambda t: t.request().replace(b"Host: localhost", b"Host: a/../b")),
    _raw("two keys", MALFORMED, _line(b"Authorization: Bearer x\r\n")),
    _raw("20,000 headers", TOO_LARGE, lambda t: t.head({f"X-{i}": i for i in range(20_000)})),
    _raw("header of 200 kB", TOO_LARGE, _header("X-A", "a" * 200_000)),
    _raw("key of 200 kB", TOO_LARGE, lambda t: t.request(key="a" * 200_000)),
    _raw("key of 20 kB", frozenset({431}), lambda t: t.request(key="a" * 20_000)),
    _raw("2,000 empty lines", OK, lambda t: b"\r\n" * 2000 + t.request()),
    _raw("hop-by-hop key", OK, _header("Connection", "authorization, x-reader")),
    _raw("another method by header", OK, _header("X-HTTP-Method-Override", "DELETE")),
    _raw("description by header", OK, _header("describe", "true")),
    _raw("explanation by header", OK, _header("explain", "true")),
    _raw("request id with a line feed", OK, _header("X-Request-Id", "a%0d%0aSet-Cookie: b")),
    _raw("500 ranges", OK, _header("Range", "bytes=" + ",".join(f"{i}-{i}" for i in range(500)))),
    _raw("header of 30 kB", frozenset({431}), _header("X-A", "a" * 30_000)),
    _raw("expectation that is none", OK, _header("Expect", "200-ok")),
    _raw("upgrade to a web socket", OK, _line(b"Connection: Upgrade\r\nUpgrade: websocket\r\n")),
    _raw("upgrade to HTTP/2", OK, _line(b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n")),
)
PROTOCOLS = (
    _raw("HTTP/0.9", frozenset({CLOSED}), lambda t: f"GET {PREDICTIONS}\r\n".encode()),
    _raw("HTTP/1.0", OK, _version(b"HTTP/1.0")),
    _raw("HTTP/2.0 in words", MALFORMED, _version(b"HTTP/2.0")),
    _raw("HTTP/9.9", MALFORMED, _version(b"HTTP/9.9")),
    _raw("HTTP/2 preface", MALFORMED, lambda t: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _raw("TLS", MALFORMED, lambda t: TLS_HELLO),
    _raw("noise", MALFORMED, lambda t: b"\xff\xfe\0" * 50 + b"\r\n\r\n"),
    _raw("PROXY protocol", MALFORMED, lambda t: b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + t.request()),
)
METHODS = (
    *(_raw(method, NO_METHOD, _method(method)) for method in ("GET", "DELETE", "PATCH", "TRACE", "PROPFIND", "BREW")),
    _raw("method in lower case", MALFORMED, _method("put")),
    _raw("CONNECT", MALFORMED, lambda t: t.head(method="CONNECT", path="localhost:22")),
    _raw("CONNECT to a path", NO_METHOD, _method("CONNECT")),
    _raw("OPTIONS *", MALFORMED, lambda t: t.head(method="OPTIONS", path="*")),
)
PATHS = (
    _raw("URL of 200 kB", frozenset({414}), _path("/" + "a" * 200_000)),
    _raw("URL of 30 kB", frozenset({414}), _path("/predictions/" + "a" * 30_000)),
    _raw("30 kB of entities", frozenset({414}), _path(f"{PREDICTIONS}/1.0/" + "width," * 5000)),
    _raw("10,000 levels", frozenset({404, 414}), _path(PREDICTIONS + "/a" * 10_000)),
    _raw("of another host", OK, _path(f"http://elsewhere{PREDICTIONS}")),
    _raw("above the root", MALFORMED, _path("/../../etc/passwd")),
    _raw("up and down", OK, _path(f"/models/../{PREDICTIONS}")),
    _raw("down and up", NOWHERE, _path(f"{PREDICTIONS}/../../models")),
    _raw("up, encoded", NOWHERE, _path(f"{PREDICTIONS}/%2e%2e/%2e%2e/models")),
    _raw("up, encoded twice", NOWHERE, _path(f"{PREDICTIONS}/%252e%252e/x")),
    _raw("explanations, then up", OK, _path(f"/explanations/resformer/1.0/../../..{PREDICTIONS}")),
    _raw("encoded slash", OK, _path("/predictions%2fresformer")),
    _raw("encoded line feed", NOWHERE, _path(f"{PREDICTIONS}/1.0/a%0d%0aX-Top-K:9")),
    _raw("encoded NUL", MALFORMED, _path(f"{PREDICTIONS}/%00")),
    _raw("encoding that is none", MALFORMED, _path(f"{PREDICTIONS}/%zz")),
    _raw("query", MALFORMED, _path(f"{PREDICTIONS}?url=file:///etc/passwd")),
    *(
        _raw(f"to {path}", NOWHERE, _path(path))
        for path in (
            *(
                "/models",
                "/models/resformer",
                "/api-description",
                "/explanations/resformer",
                "/v1/models/resformer:predict",
            ),
            *("/v2/models/resformer/infer", "/workflows", "/wfpredict/resformer", "/predictions", "/predictions/other"),
            *(
                "/invocations",
                "/metrics",
                "/live",
                "/token?type=management",
                "/.git/config",
                "/.error/500",
            ),
        )
    ),
)
CASES = (*LENGTHS, *CHUNKS, *LINES, *PROTOCOLS, *METHODS, *PATHS)
