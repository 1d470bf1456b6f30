"""A loop of asyncio beside threads that wait for what it does."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

__all__ = ["BackgroundLoop"]

T = TypeVar("T")

# For names of hosts: a resolver that does not answer holds a thread for seconds.
RESOLVER_THREADS = 32


class BackgroundLoop:
    """Runs coroutines in a thread of its own; safe to use from several threads.

    The thread ends with the process, or with `close`. It does not live on in a process that is forked off, which makes
    its own.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str):
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(RESOLVER_THREADS, f"{name}-resolver"))
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @staticmethod
    def shared() -> "BackgroundLoop":
        """The one of this process, which nobody closes."""
        return _of_process(os.getpid())

    def submit(self, call: Coroutine[Any, Any, T]) -> "Future[T]":
        """Starts a coroutine; to cancel the result is to cancel it."""
        try:
            return asyncio.run_coroutine_threadsafe(call, self._loop)
        except RuntimeError:  # it is closed
            call.close()
            raise

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Waits for a coroutine; whoever is interrupted meanwhile cancels it."""
        future = self.submit(call)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancels what runs and ends the thread."""
        if self._loop.is_closed():
            return
        self.submit(_cancel_others()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@cache
def _of_process(_: int) -> BackgroundLoop:
    return BackgroundLoop("background")


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
