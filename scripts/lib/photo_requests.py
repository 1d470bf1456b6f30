"""One photo over HTTP: attempts, waits, redirects and limits."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import httpx

from resformer import __version__
from resformer.client.exchange import Retries
from resformer.client.retry_after import retry_after_seconds
from resformer.scripts.lib.download_faults import Fault, fault_of_exception, fault_of_status
from resformer.scripts.lib.host_limits import HostLimits

__all__ = ["DownloadLimits", "Fetched", "PhotoRequests"]

MAX_REDIRECTS = 10
MAX_RETRY_AFTER = 60.0  # seconds
# Photos are compressed; a server that compresses them again sends more than `max_bytes` says.
HEADERS = {"User-Agent": f"resformer/{__version__}", "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}


@dataclass(frozen=True, kw_only=True)
class DownloadLimits:
    """How patient downloads are, and how hard they press; they hold in each process.

    Attributes:
        attempts: How often a link is tried.
        wait: Seconds before the second attempt; each further one waits twice as long, or as `Retry-After` asks, a
            minute at most.
        timeout: Seconds without a sign from the server after which an attempt has failed.
        time_limit: Seconds for a link in all, attempts and waits included, but not its wait for a turn.
        max_bytes: Larger files are refused.
        connections: Requests under way at once.
        host_connections: Those to one host.
        host_rate: Requests per second to one host; None = as many as there are.

    Raises:
        ValueError: A limit leaves nothing.
    """

    attempts: int = 4
    wait: float = 0.5
    timeout: float = 20.0
    time_limit: float = 120.0
    max_bytes: int = 20_000_000
    connections: int = 64
    host_connections: int = 16
    host_rate: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}; take more than 0")


@dataclass(frozen=True)
class Fetched:
    """What a server sent.

    Attributes:
        data: None where the photo is still the one that was asked about (304).
        media_type: As the server calls it; may be empty.
        etag, last_modified: Its names for this version of the photo; may be empty.
    """

    data: bytes | None
    media_type: str
    etag: str
    last_modified: str


class PhotoRequests:
    """Gets photos, in one loop of asyncio."""

    def __init__(self, limits: DownloadLimits):
        self._limits = limits
        self._hosts = HostLimits(
            connections=limits.connections, host_connections=limits.host_connections, host_rate=limits.host_rate
        )
        self._http = httpx.AsyncClient(
            headers=HEADERS,
            timeout=httpx.Timeout(limits.timeout, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=limits.connections),
        )
        # Nobody logs in, and the cookies of a million hosts need memory.
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def get(self, link: str, headers: Mapping[str, str]) -> Fetched:
        """What a link leads to; tries again where that may help.

        Raises:
            Fault: The photo cannot be downloaded; its reason says how often it was tried.
        """
        time = _Time(self._limits.time_limit)
        waits = Retries(self._limits.attempts - 1, self._limits.wait).waits()
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(link, headers, time)
            except Fault as fault:
                times = f", {attempt} times" if attempt > 1 else ""
                if not fault.is_passing:
                    raise
                asked = fault.retry_after or 0.0
                if asked > MAX_RETRY_AFTER:
                    reason = f"{fault.reason} and asks for a pause of {asked:.0f} s{times}"
                    raise Fault(f"{reason}; {MAX_RETRY_AFTER:.0f} s are granted") from fault
                wait = next(waits, None)
                if wait is None:
                    raise Fault(f"{fault.reason}{times}") from fault
                wait = max(wait, asked)
                if wait >= time.left:
                    limit = f"the {self._limits.time_limit:g} s of a link"
                    raise Fault(f"{fault.reason}{times}, and another try would exceed {limit}") from fault
            time.left -= wait
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    async def _attempt(self, link: str, headers: Mapping[str, str], time: "_Time") -> Fetched:
        try:
            request = self._http.build_request("GET", link, headers=dict(headers))
            for _ in range(MAX_REDIRECTS + 1):
                # Every hop takes its turn: a redirect may lead to another host.
                async with self._hosts.turn(request.url.netloc.decode("ascii")), time.spent():
                    response = await self._http.send(request, stream=True)
                    try:
                        if response.next_request is None:
                            return await self._answer(response)
                        request = response.next_request
                    finally:
                        await response.aclose()
                if request.url.scheme not in ("http", "https"):
                    raise Fault(f"the server redirects to {request.url}, which is no http or https link")
            raise Fault(f"more than {MAX_REDIRECTS} redirects")
        except TimeoutError as error:
            raise Fault(f"the photo is not there after {self._limits.time_limit:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise fault_of_exception(error) from error

    async def _answer(self, response: httpx.Response) -> Fetched:
        status = response.status_code
        about = [response.headers.get(name, "") for name in ("Content-Type", "ETag", "Last-Modified")]
        if status == 304:
            return Fetched(None, *about)
        if status != 200:
            after = retry_after_seconds(response.headers.get("Retry-After"))
            if status == 429 and after:  # it counts requests of this machine, whatever they ask for
                self._hosts.pause(response.url.netloc.decode("ascii"), min(after, MAX_RETRY_AFTER))
            raise fault_of_status(status, after)
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > self._limits.max_bytes:
            raise Fault(f"the photo has {announced} bytes, more than {self._limits.max_bytes}")
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self._limits.max_bytes:
                raise Fault(f"the photo has more than {self._limits.max_bytes} bytes")
        return Fetched(bytes(data), *about)


class _Time:
    """The seconds that are left for a link."""

    def __init__(self, seconds: float):
        self.left = seconds

    @asynccontextmanager
    async def spent(self) -> AsyncIterator[None]:
        """Takes what the block needs; raises TimeoutError where nothing is left."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            async with asyncio.timeout(self.left):
                yield
        finally:
            self.left = max(0.0, self.left - (loop.time() - start))
