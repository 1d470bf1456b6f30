"""Photos that requests name by links."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from resformer import __version__
from resformer.handler.link_rules import LinkRules
from resformer.handler.public_addresses import is_public_address
from resformer.model.errors import ImageTooLarge, LinkFailed, UnsupportedImage, UrlNotAllowed
from resformer.model.images.loading import is_photo

__all__ = ["PhotoLinks"]

R = TypeVar("R")

MAX_REDIRECTS: Final = 3
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES: Final = 65_536
SIGNATURE_BYTES: Final = 64
HEADERS: Final = {"User-Agent": f"resformer/{__version__}", "Accept": "image/*", "Accept-Encoding": "identity"}


class PhotoLinks:
    """Fetches photos from listed hosts over https, those of a batch at once.

    Args:
        rules: The links that are followed.
        max_bytes: Larger photos are refused, where the rules have no smaller limit.
        resolver: Finds the addresses of a host; None asks the system.
        is_allowed: Whether an address may be connected to.
        tls: Which certificates are trusted; None takes the system's.
    """

    def __init__(
        self,
        rules: LinkRules,
        max_bytes: int,
        *,
        resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
        is_allowed: Callable[[str], bool] = is_public_address,
        tls: ssl.SSLContext | None = None,
    ):
        self._rules = rules
        self._max_bytes = min(max_bytes, rules.max_bytes or max_bytes)
        self._resolver = resolver
        self._is_allowed = is_allowed
        self._tls = tls or ssl.create_default_context()
        # One loop for all batches: the end of a loop would wait for a look-up of a name that hangs.
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="photo-links", daemon=True).start()

    def fetch(self, links: Sequence[str]) -> list[bytes | Exception]:
        """The photo of each link, or the ResformerError that says why there is none. Takes `seconds` of the rules."""
        return asyncio.run_coroutine_threadsafe(self._fetch(links), self._loop).result()

    async def _fetch(self, links: Sequence[str]) -> list[bytes | Exception]:
        connector = aiohttp.TCPConnector(
            resolver=_CheckedResolver(self._resolver(), self._is_allowed),
            ssl=self._tls,
            use_dns_cache=False,
            force_close=True,
            limit=0,
        )
        # A session of its own for every batch, without cookies: callers share nothing.
        async with aiohttp.ClientSession(
            connector=connector,
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            return await asyncio.gather(*(_outcome(self._photo(session, link)) for link in links))

    async def _photo(self, session: aiohttp.ClientSession, link: str) -> bytes:
        url = self._rules.check(link)
        try:
            async with asyncio.timeout(self._rules.seconds):
                return await self._follow(session, url)
        except TimeoutError as error:
            raise LinkFailed(f"{_named(url)} did not send the photo within {self._rules.seconds:g} seconds") from error
        except aiohttp.ClientConnectorDNSError as error:
            raise LinkFailed(f"the host {_named(url)} of the link has no address") from error
        except aiohttp.ClientSSLError as error:
            raise LinkFailed(f"{_named(url)} has no valid certificate, or does not speak TLS") from error
        except (aiohttp.ClientError, OSError) as error:
            raise LinkFailed(f"{_named(url)} refused or broke off the connection, or does not speak HTTP") from error

    async def _follow(self, session: aiohttp.ClientSession, url: URL) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(url, allow_redirects=False) as response:
                if response.status not in REDIRECTS:
                    return await self._content(response)
                target = response.headers.get("Location", "")
            url = self._rules.check(_joined(url, target))
        raise LinkFailed(f"the link leads to more than {MAX_REDIRECTS} others; send the last one")

    async def _content(self, response: aiohttp.ClientResponse) -> bytes:
        host = _named(response.url)
        if response.status != 200:
            raise LinkFailed(f"{host} answered {response.status} instead of the photo")
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise LinkFailed(f"{host} sent the photo compressed, though it was asked not to")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        data = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            data += chunk
            if len(data) > self._max_bytes:
                raise self._too_large()
            if len(data) >= SIGNATURE_BYTES:
                _refuse_no_photo(data)
        _refuse_no_photo(data)
        return bytes(data)

    def _too_large(self) -> ImageTooLarge:
        return ImageTooLarge(
            f"the link's photo has more than the {self._max_bytes} bytes taken here; send a link of a smaller one"
        )


class _CheckedResolver(AbstractResolver):
    """Gives a connection the addresses that it may be made to, and those alone.

    What is checked here is what is connected to: no name is looked up in between.
    """

    def __init__(self, resolver: AbstractResolver, is_allowed: Callable[[str], bool]):
        self._resolver = resolver
        self._is_allowed = is_allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        allowed = [result for result in found if self._is_allowed(result["host"])]
        if found and not allowed:
            raise UrlNotAllowed(f"the host {host[:40]} has no public address")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


async def _outcome(photo: Coroutine[Any, Any, R]) -> R | Exception:
    """An error of one link is no other link's."""
    try:
        return await photo
    except Exception as error:
        return error


def _named(url: URL) -> str:
    return (url.host or "")[:40]


def _joined(url: URL, target: str) -> str:
    try:
        return str(url.join(URL(target)))
    except ValueError as error:
        raise LinkFailed(f"{_named(url)} leads to something that is no link") from error


def _refuse_no_photo(data: bytearray) -> None:
    if not is_photo(data):
        raise UnsupportedImage("the link leads to no photo; send a link of a JPEG, PNG, WebP, GIF, BMP or TIFF file")
