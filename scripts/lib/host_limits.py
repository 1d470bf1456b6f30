"""How hard a host is pressed: connections at once, requests per second, and pauses that it asks for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["HostLimits"]

# Hosts without a request under way are forgotten where there are more than these.
MANY_HOSTS = 4096


class _Host:
    """A host, in seconds of the loop's clock."""

    def __init__(self, connections: int):
        self.connections = asyncio.Semaphore(connections)
        self.requests = 0
        self.next_start = 0.0


class HostLimits:
    """Turns of requests to hosts, in one loop of asyncio.

    Args:
        connections: Requests under way at once, to all hosts together.
        host_connections: Those to one host.
        host_rate: Requests that are started per second at one host; None = as many as there are.
    """

    def __init__(self, *, connections: int, host_connections: int, host_rate: float | None):
        self._all = asyncio.Semaphore(connections)
        self._host_connections = host_connections
        self._interval = 1 / host_rate if host_rate else 0.0
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Waits until a request to a host may start, and counts it until the block ends."""
        state = self._hosts.setdefault(host, _Host(self._host_connections))
        state.requests += 1
        try:
            async with state.connections:
                # Whoever waits for one host takes no turn from another.
                await self._start(state)
                async with self._all:
                    yield
        finally:
            state.requests -= 1
            self._forget_idle()

    def pause(self, host: str, seconds: float) -> None:
        """Starts no request at a host for a while."""
        state = self._hosts.setdefault(host, _Host(self._host_connections))
        state.next_start = max(state.next_start, asyncio.get_running_loop().time() + seconds)

    async def _start(self, state: _Host) -> None:
        loop = asyncio.get_running_loop()
        while (wait := state.next_start - loop.time()) > 0:
            await asyncio.sleep(wait)
        state.next_start = loop.time() + self._interval

    def _forget_idle(self) -> None:
        if len(self._hosts) > MANY_HOSTS:
            now = asyncio.get_running_loop().time()
            self._hosts = {name: host for name, host in self._hosts.items() if host.requests or host.next_start > now}
