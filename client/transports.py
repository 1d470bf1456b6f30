"""What carries requests, chosen by the address."""

from typing import Protocol

import httpx

from resformer.client.address import Address
from resformer.client.exchange import Send
from resformer.client.http_transport import AsyncHttpTransport, HttpTransport
from resformer.client.replies import Lost, Reply

__all__ = ["AsyncTransport", "Transport", "async_transport", "transport"]


class Transport(Protocol):
    """Sends a request and waits for what comes back; safe to call from several threads."""

    def send(self, message: Send) -> Reply | Lost:
        """What the server sends back."""
        ...

    def close(self) -> None:
        """Ends the connections."""
        ...


class AsyncTransport(Protocol):
    """As Transport, for a loop of asyncio."""

    async def send(self, message: Send) -> Reply | Lost:
        """What the server sends back."""
        ...

    async def close(self) -> None:
        """Ends the connections."""
        ...


def transport(address: Address, timeout: float, http: httpx.Client | None) -> Transport:
    """What carries requests to an address.

    Args:
        timeout: Seconds to wait for an answer.
        http: Your own client of httpx, with settings of its own; None = a new one.

    Raises:
        ValueError: `http` is given for gRPC.
        ImportError: A package is missing that gRPC needs.
    """
    if not address.is_grpc:
        return HttpTransport(address, timeout, http)
    _refuse(http)
    from resformer.client.grpc_transport import GrpcTransport

    return GrpcTransport(address, timeout)


def async_transport(address: Address, timeout: float, http: httpx.AsyncClient | None) -> AsyncTransport:
    """As `transport`."""
    if not address.is_grpc:
        return AsyncHttpTransport(address, timeout, http)
    _refuse(http)
    from resformer.client.grpc_transport import AsyncGrpcTransport

    return AsyncGrpcTransport(address, timeout)


def _refuse(http: object) -> None:
    if http is not None:
        raise ValueError("http is given, but the address is one of gRPC; leave one of them out")
