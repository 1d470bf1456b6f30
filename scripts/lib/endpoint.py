"""One server of a scoring run: its address, its key, and how it is doing."""

import time

import httpx

from resformer.client.address import Address
from resformer.client.client_errors import ClientError
from resformer.client.exchange import Send
from resformer.client.http_transport import AsyncHttpTransport
from resformer.client.keys import Key
from resformer.client.replies import Lost, Reply
from resformer.client.transports import AsyncTransport, async_transport
from resformer.scripts.lib.adaptive_limit import AdaptiveLimit

__all__ = ["TIMEOUT", "Endpoint"]

TIMEOUT = 120.0  # seconds
CONNECT_SECONDS = 10.0
FIRST_ABSENCE, MAX_ABSENCE = 0.5, 30.0  # seconds


class Endpoint:
    """A server, in one loop of asyncio.

    Args:
        address: Of its predictions.
        key: Its inference key.
        concurrency: Requests under way at once, at most.

    Attributes:
        limit: Requests under way at once, now.
        fault: Why it is left out, or was last; None where it never was.
        is_refused: Whether it is left out for good.
        absent_until: It is left out until then, by the monotonic clock.
        replied: When it last replied, by that clock.
    """

    def __init__(self, address: Address, key: Key, concurrency: int):
        self.address, self.key = address, key
        self.limit = AdaptiveLimit(concurrency)
        self.fault: ClientError | None = None
        self.is_refused = False
        self.absent_until = 0.0
        self.replied = 0.0
        self._absences = 0
        self._last_absence = 0.0
        self._transport = _transport(address, concurrency)

    @property
    def is_away(self) -> bool:
        """Whether it is left out at the moment."""
        return self.is_refused or self.absent_until > time.monotonic()

    async def send(self, photo: bytes, fields: dict[str, str], key: str) -> Reply | Lost:
        """What comes of a request."""
        return await self._transport.send(Send(photo, fields, key))

    def found(self) -> bool:
        """Notes that it has replied; returns whether it was away before."""
        was_away, self._absences = self._absences > 0, 0
        self.replied = time.monotonic()
        return was_away

    def lost(self, sent: float, fault: ClientError) -> bool:
        """Leaves it out for a while, longer each time; returns whether that is news.

        Args:
            sent: When the request was sent that got no reply: those that were sent together are one absence, and it is
                none where a later one was answered.
        """
        if sent < max(self._last_absence, self.replied):
            return False
        self.fault = fault
        self._last_absence = time.monotonic()
        self.absent_until = self._last_absence + min(MAX_ABSENCE, FIRST_ABSENCE * 2**self._absences)
        self._absences += 1
        self.limit.restart()
        return self._absences == 1

    def refuse(self, fault: ClientError) -> bool:
        """Leaves it out for good; returns whether that is news."""
        is_news, self.is_refused, self.fault = not self.is_refused, True, fault
        return is_news

    async def close(self) -> None:
        """Ends the connections."""
        await self._transport.close()


def _transport(address: Address, concurrency: int) -> AsyncTransport:
    if address.is_grpc:
        return async_transport(address, TIMEOUT, None)
    http = httpx.AsyncClient(
        timeout=httpx.Timeout(TIMEOUT, connect=CONNECT_SECONDS, pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency),
        # A proxy that the environment names cannot reach this machine.
        trust_env=not address.is_local,
    )
    return _OwnTransport(address, http)


class _OwnTransport(AsyncHttpTransport):
    """Ends the connections of the client that it was given, too."""

    def __init__(self, address: Address, http: httpx.AsyncClient):
        super().__init__(address, TIMEOUT, http)
        self._client = http

    async def close(self) -> None:
        await self._client.aclose()
