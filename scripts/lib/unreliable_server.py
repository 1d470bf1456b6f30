"""A server of photos that goes wrong on purpose, in a process of its own, and what must become of its links."""

import asyncio
import multiprocessing
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from multiprocessing.connection import Connection
from typing import Self

__all__ = ["GOOD", "TOGETHER", "TROUBLES", "LinkKind", "UnreliableServer"]

SECONDS_PER_PHOTO = 0.02
HUGE = 1_000_000_000
TLS_HANDSHAKE = b"\x16"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class LinkKind:
    """Links to which the same happens.

    Attributes:
        name: Of what happens.
        link: With `{url}` for the server's address, `{secure}` for the same with https, `{closed}` for one where
            nothing listens, and `{number}`.
        reason: In the reason that the download must give; empty where the photo must arrive.
    """

    name: str
    link: str
    reason: str = ""


GOOD = LinkKind("good", "{url}/good/{number}.jpg")
TOGETHER = LinkKind("answered when as many are asked for as fit", "{url}/together/{number}.jpg")
TROUBLES = (
    LinkKind("not found", "{url}/404/{number}.jpg", "the server answered 404 (Not Found)"),
    LinkKind("gone", "{url}/410/{number}.jpg", "the server answered 410 (Gone)"),
    LinkKind("an error once", "{url}/500-once/{number}.jpg"),
    LinkKind("busy for a second", "{url}/503-seconds/{number}.jpg"),
    LinkKind("busy until a date", "{url}/503-date/{number}.jpg"),
    LinkKind("always busy", "{url}/503/{number}.jpg", "the server answered 503 (Service Unavailable), 4 times"),
    LinkKind("connection refused", "{closed}/{number}.jpg", "no connection can be made"),
    LinkKind("reset in the middle", "{url}/reset/{number}.jpg", "the answer breaks off"),
    LinkKind("too large, and says so", "{url}/large/{number}.jpg", f"the photo has {HUGE} bytes, more than"),
    LinkKind("too large", "{url}/endless/{number}.jpg", "the photo has more than"),
    LinkKind("a slow body without an end", "{url}/slow/{number}.jpg", "the photo is not there after"),
    LinkKind("no photo", "{url}/page/{number}.jpg", "the server sent no photo but text/html"),
    LinkKind("redirects in a circle", "{url}/circle/{number}.jpg", "more than 10 redirects"),
    LinkKind("no TLS", "{secure}/good/{number}.jpg", "no secure connection can be made"),
    LinkKind("no such host", "http://photos-{number}.invalid/a.jpg", "the host's name has no address"),
)


class UnreliableServer:
    """The server; to be used in a `with` statement.

    Args:
        photo: The bytes that it sends for every photo.
        together: How many links of TOGETHER it answers at once.
    """

    def __init__(self, photo: bytes, together: int):
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(photo, together, sender), daemon=True)
        self._process.start()
        sender.close()
        port, closed_port = receiver.recv()
        self._addresses = {
            "url": f"http://{HOST}:{port}",
            "secure": f"https://{HOST}:{port}",
            "closed": f"http://{HOST}:{closed_port}",
        }

    def link(self, kind: LinkKind, number: int) -> str:
        """A link of a kind; links with different numbers differ."""
        return kind.link.format(**self._addresses, number=number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


def _serve(photo: bytes, together: int, sender: Connection) -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_Site(photo, together).run(sender))


class _Site:
    def __init__(self, photo: bytes, together: int):
        self._photo = photo
        self._gate = asyncio.Barrier(together)
        self._asked: Counter[str] = Counter()
        self._pages: dict[str, Callable[[str, asyncio.StreamWriter], Awaitable[None]]] = {
            "good": self._good,
            "together": self._together,
            "500-once": self._once(500),
            "503-seconds": self._once(503, lambda: "1"),
            "503-date": self._once(503, lambda: formatdate(time.time() + 2, usegmt=True)),
            "reset": self._reset,
            "large": self._large,
            "endless": self._endless,
            "slow": self._slow,
            "page": self._page,
            "circle": self._circle,
        }

    async def run(self, sender: Connection) -> None:
        with socket.socket() as closed:
            closed.bind((HOST, 0))  # and does not listen
            server = await asyncio.start_server(self._connection, HOST, 0, backlog=1024)
            sender.send((server.sockets[0].getsockname()[1], closed.getsockname()[1]))
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not writer.is_closing():
                start = await reader.readexactly(1)
                if start == TLS_HANDSHAKE:
                    await _answer(writer, 400)
                    break
                head = start + await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode("ascii")
                self._asked[path] += 1
                kind = path.split("/")[1]
                if kind.isdigit():
                    await _answer(writer, int(kind))
                else:
                    await self._pages[kind](path, writer)
        writer.close()

    async def _good(self, _: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SECONDS_PER_PHOTO)
        await _answer(writer, 200, self._photo)

    async def _together(self, _: str, writer: asyncio.StreamWriter) -> None:
        await self._gate.wait()
        await _answer(writer, 200, self._photo)

    def _once(
        self, status: int, retry_after: Callable[[], str] | None = None
    ) -> Callable[[str, asyncio.StreamWriter], Awaitable[None]]:
        async def page(path: str, writer: asyncio.StreamWriter) -> None:
            if self._asked[path] > 1:
                await _answer(writer, 200, self._photo)
            else:
                await _answer(writer, status, b"", **{"Retry-After": retry_after()} if retry_after else {})

        return page

    async def _reset(self, _: str, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content-Length": str(len(self._photo))}) + self._photo[:100])
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _large(self, _: str, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content-Length": str(HUGE)}))
        await writer.drain()
        await asyncio.sleep(60)

    async def _endless(self, _: str, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Connection": "close"}))
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async def _slow(self, _: str, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Connection": "close"}))
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def _page(self, _: str, writer: asyncio.StreamWriter) -> None:
        await _answer(writer, 200, b"<!doctype html><title>Sold out</title>", **{"Content-Type": "text/html"})

    async def _circle(self, path: str, writer: asyncio.StreamWriter) -> None:
        await _answer(writer, 302, b"", Location=path)


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes = b"", **headers: str) -> None:
    writer.write(_head(status, {"Content-Length": str(len(body)), **headers}) + body)
    await writer.drain()


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} .", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
