"""Photos from links, over a cache on disk."""

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import Self, TypeVar

from PIL import Image, UnidentifiedImageError

from resformer.scripts.lib.background_loop import BackgroundLoop
from resformer.scripts.lib.download_faults import DownloadError, Fault
from resformer.scripts.lib.photo_cache import CachedPhoto, PhotoCache
from resformer.scripts.lib.photo_requests import DownloadLimits, Fetched, PhotoRequests

__all__ = ["CACHE_BYTES", "MAX_AGE", "DownloadError", "DownloadLimits", "Downloader", "has_image_header"]

R = TypeVar("R")

CACHE_BYTES = 20_000_000_000
"""What a cache holds unless somebody says otherwise."""
MAX_AGE = 86_400.0
"""Seconds for which a photo of a cache is used unasked unless somebody says otherwise: a day."""

# Threads that read and write the cache and look at what was sent.
DISK_THREADS = 8
# Links under way, for each connection: while some of them wait, others are sent.
AHEAD = 2


class Downloader:
    """Downloads photos over http and https, many at once; safe to use from several threads.

    A process that is forked off, or gets it pickled, may use it too: it makes connections of its own.

    Args:
        limits: How patient to be, and how hard to press.
        cache: Where photos are kept; None keeps none.
        max_age: Seconds for which a photo of the cache is used as it is. An older one is asked about again, and sent
            again only if the server has another one by now.
    """

    def __init__(
        self, limits: DownloadLimits | None = None, *, cache: PhotoCache | None = None, max_age: float = MAX_AGE
    ):
        self.limits = limits or DownloadLimits()
        self._cache, self._max_age = cache, max_age
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def fetch(self, link: str) -> bytes:
        """The bytes of a photo.

        Raises:
            DownloadError: It cannot be downloaded.
            PhotoCacheError: The cache cannot be used.
        """
        running = self._start()
        return running.loop.run(self._photo(running, link))

    def submit(self, link: str) -> "Future[bytes]":
        """As `fetch`, without a wait."""
        running = self._start()
        return running.loop.submit(self._photo(running, link))

    def fetch_all(self, links: Iterable[str]) -> Generator[tuple[str, bytes | DownloadError], None, None]:
        """Downloads links and yields each with its photo, or why there is none, as they come.

        Links are drawn as they are needed.
        """
        finished: queue.SimpleQueue[tuple[str, Future[bytes]]] = queue.SimpleQueue()
        pending: dict[str, Future[bytes]] = {}

        def outcome() -> tuple[str, bytes | DownloadError]:
            link, future = finished.get()
            pending.pop(link, None)
            try:
                return link, future.result()
            except DownloadError as error:
                return link, error

        under_way = 0
        try:
            for link in links:
                future = pending[link] = self.submit(link)
                future.add_done_callback(partial(_put, finished, link))
                under_way += 1
                if under_way >= AHEAD * self.limits.connections:
                    under_way -= 1
                    yield outcome()
            for _ in range(under_way):
                yield outcome()
        finally:
            for future in list(pending.values()):
                future.cancel()

    def close(self) -> None:
        """Ends the connections; what is under way is cancelled."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None and running.process == os.getpid():
            running.loop.run(running.requests.close())
            running.loop.close()
            running.disk.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        return partial(Downloader, cache=self._cache, max_age=self._max_age), (self.limits,)

    def _start(self) -> "_Running":
        with self._lock:
            if self._running is None or self._running.process != os.getpid():
                self._running = _Running(self.limits)
            return self._running

    async def _photo(self, running: "_Running", link: str) -> bytes:
        if not link.lower().startswith(("http://", "https://")):
            raise DownloadError("not an http or https link")
        kept = await running.on_disk(self._cache.get, link) if self._cache else None
        if kept and 0 <= kept.age < self._max_age:
            return kept.data
        try:
            fetched = await running.requests.get(link, _conditions(kept) if kept else {})
            if fetched.data is None:
                return await self._confirmed(running, link, kept)
            if not await running.on_disk(has_image_header, fetched.data):
                raise Fault(f"the server sent no photo{_described(fetched)}")
        except Fault as fault:
            if fault.is_gone and kept and self._cache:
                await running.on_disk(self._cache.remove, link)
            raise DownloadError(fault.reason) from fault
        if self._cache:
            photo = CachedPhoto(fetched.data, fetched.etag, fetched.last_modified, time.time())
            await running.on_disk(self._cache.put, link, photo)
        return fetched.data

    async def _confirmed(self, running: "_Running", link: str, kept: CachedPhoto | None) -> bytes:
        """The photo that the server says is the one that is kept."""
        if kept is None or self._cache is None:
            raise Fault("the server answered 304 (Not Modified), though nothing was there before")
        await running.on_disk(self._cache.put, link, replace(kept, checked=time.time()))
        return kept.data


class _Running:
    """What a process downloads with."""

    def __init__(self, limits: DownloadLimits):
        self.process = os.getpid()
        self.loop = BackgroundLoop("downloads")
        self.requests = PhotoRequests(limits)
        self.disk = ThreadPoolExecutor(DISK_THREADS, "downloads-disk")

    async def on_disk(self, function: Callable[..., R], *arguments: object) -> R:
        """Calls a function in a thread, since it waits for the disk."""
        return await asyncio.get_running_loop().run_in_executor(self.disk, partial(function, *arguments))


def has_image_header(data: bytes) -> bool:
    """Whether these are the bytes of a photo, which may be damaged further on."""
    try:
        Image.open(BytesIO(data)).close()
    except UnidentifiedImageError:
        return False
    except (OSError, ValueError, Image.DecompressionBombError):  # damaged or vast, but a photo
        return True
    return True


def _conditions(kept: CachedPhoto) -> dict[str, str]:
    named = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in named.items() if value}


def _described(fetched: Fetched) -> str:
    if not fetched.data:
        return " but an empty answer"
    return f" but {fetched.media_type}" if fetched.media_type and not fetched.media_type.startswith("image/") else ""


def _put(finished: "queue.SimpleQueue[tuple[str, Future[bytes]]]", link: str, future: "Future[bytes]") -> None:
    finished.put((link, future))
