"""Many calls at once, results in order, with a bounded number of things in flight."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["mapped", "mapped_async"]

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4  # times the concurrency: room for quick calls to go ahead of a slow one


def mapped(function: Callable[[T], R], items: Iterable[T], concurrency: int) -> Iterator[R]:
    """`map` in threads; `items` are drawn as they are needed. The first exception ends it.

    Raises:
        ValueError: The concurrency is below 1.
    """
    _check(concurrency)
    return _mapped(function, items, concurrency)


def mapped_async(function: Callable[[T], Awaitable[R]], items: Iterable[T], concurrency: int) -> AsyncIterator[R]:
    """As `mapped`, in tasks of asyncio."""
    _check(concurrency)
    return _mapped_async(function, items, concurrency)


def _check(concurrency: int) -> None:
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; take 1 or more")


def _mapped(function: Callable[[T], R], items: Iterable[T], concurrency: int) -> Iterator[R]:
    pool = ThreadPoolExecutor(concurrency)
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= AHEAD * concurrency:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


async def _mapped_async(
    function: Callable[[T], Awaitable[R]], items: Iterable[T], concurrency: int
) -> AsyncIterator[R]:
    gate = asyncio.Semaphore(concurrency)

    async def call(item: T) -> R:
        async with gate:
            return await function(item)

    pending: deque[asyncio.Task[R]] = deque()
    try:
        for item in items:
            pending.append(asyncio.create_task(call(item)))
            if len(pending) >= AHEAD * concurrency:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
