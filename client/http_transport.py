"""Requests over HTTP: a form with the photo and the fields."""

from typing import Any

import httpx

from resformer import __version__
from resformer.client.address import Address
from resformer.client.exchange import Send
from resformer.client.replies import Lost, Reply, parse_body
from resformer.client.retry_after import retry_after_seconds

__all__ = ["AsyncHttpTransport", "HttpTransport"]

CONNECT_SECONDS = 10.0


class HttpTransport:
    """Sends over HTTP, on connections that are kept open."""

    def __init__(self, address: Address, timeout: float, http: httpx.Client | None = None):
        self._url = address.url
        self._http = http or httpx.Client(**_settings(address, timeout))
        self._is_own = http is None

    def send(self, message: Send) -> Reply | Lost:
        """What the server sends back."""
        try:
            return _reply(self._http.post(self._url, **_content(message)))
        except httpx.RequestError as error:
            return _lost(error)

    def close(self) -> None:
        """Ends the connections, but not those of a client that the caller brought."""
        if self._is_own:
            self._http.close()


class AsyncHttpTransport:
    """As HttpTransport, for a loop of asyncio."""

    def __init__(self, address: Address, timeout: float, http: httpx.AsyncClient | None = None):
        self._url = address.url
        self._http = http or httpx.AsyncClient(**_settings(address, timeout))
        self._is_own = http is None

    async def send(self, message: Send) -> Reply | Lost:
        """What the server sends back."""
        try:
            return _reply(await self._http.post(self._url, **_content(message)))
        except httpx.RequestError as error:
            return _lost(error)

    async def close(self) -> None:
        """Ends the connections, but not those of a client that the caller brought."""
        if self._is_own:
            await self._http.aclose()


def _settings(address: Address, timeout: float) -> dict[str, Any]:
    # A proxy that the environment names cannot reach this machine. Who waits for a connection waits for an answer.
    limits = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS), pool=None)
    return {"timeout": limits, "trust_env": not address.is_local}


def _content(message: Send) -> dict[str, Any]:
    """Arguments of `post`. The texts are parts of a form, since headers of a server hold no long description."""
    headers = {"User-Agent": f"resformer/{__version__}"}
    if message.key:
        headers["Authorization"] = f"Bearer {message.key}"
    files = {"image": ("photo", message.photo, "application/octet-stream")}
    return {"headers": headers, "data": dict(message.fields), "files": files}


def _reply(response: httpx.Response) -> Reply:
    after = retry_after_seconds(response.headers.get("Retry-After"))
    return Reply(response.status_code, parse_body(response.content), after)


def _lost(error: httpx.RequestError) -> Lost:
    return Lost(": ".join(filter(None, [type(error).__name__, str(error)])))
