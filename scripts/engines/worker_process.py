"""A process that answers photos for the one that started it, and what that one holds of it.

Each worker has a pipe of its own: one that is killed in the middle of a message harms no other, which a queue that all
workers share cannot promise.
"""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple

from resformer.scripts.engines.engine import PhotoQuestions
from resformer.scripts.engines.network_settings import BatchAnswerer
from resformer.scripts.lib.journal import Outcome

__all__ = ["Worker", "WorkerDied"]

DECODERS = 2  # batches under way in a worker: one is decoded while the other has the network
SECONDS_TO_END = 5.0
# Starting a process is not safe in several threads at once: multiprocessing looks after all children then.
_starting = threading.Lock()


class WorkerDied(Exception):
    """The process is gone; the message says how it ended."""


class _Reply(NamedTuple):
    """Outcomes of the batch of this number."""

    number: int
    outcomes: list[dict[str, Outcome]]


class _Fault(NamedTuple):
    """What ends the run."""

    error: Exception


class _Ready(NamedTuple):
    """The worker has loaded what answers."""


class Worker:
    """A worker process, which is started at once and ends with the process that started it.

    Args:
        load: Makes what answers, in the worker; is pickled.
    """

    def __init__(self, load: Callable[[], BatchAnswerer]):
        context = get_context("spawn")  # a forked process may hold locks of threads that it does not have
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, load), daemon=True)
        with _starting:
            self._process.start()
        theirs.close()  # so that the end of the worker is the end of the pipe
        self._sent = 0

    def wait_until_ready(self) -> None:
        """Waits until the worker can answer.

        Raises:
            WorkerDied: It ended instead.
            Exception: What it raised instead.
        """
        self._receive()

    def send(self, batch: Sequence[PhotoQuestions]) -> int:
        """Asks; returns the number of the batch. Raises WorkerDied."""
        self._sent += 1
        try:
            self._connection.send((self._sent, batch))
        except OSError as error:
            raise WorkerDied(self._end()) from error
        return self._sent

    def receive(self) -> tuple[int, list[dict[str, Outcome]]]:
        """The next batch that is answered, by its number, and the outcomes of its photos.

        Raises:
            WorkerDied: It ended.
            Exception: What it raised.
        """
        reply = self._receive()
        assert isinstance(reply, _Reply)
        return reply

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join(SECONDS_TO_END)
        self._process.kill()
        self._process.join()

    def kill(self) -> None:
        """Ends the process at once; another thread that waits for its reply gets WorkerDied."""
        self._process.kill()

    def _receive(self) -> _Reply | _Ready:
        try:
            reply = self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied(self._end()) from error
        if isinstance(reply, _Fault):
            raise reply.error
        return reply

    def _end(self) -> str:
        self._process.join(SECONDS_TO_END)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name
        return f"was ended by {name}" + (", as is done where memory runs out" if name == "SIGKILL" else "")


def _run(connection: Connection, load: Callable[[], BatchAnswerer]) -> None:
    """The worker's main thread takes batches, so that the end of the pipe is seen whatever the others do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first of them ends the others
    sending = threading.Lock()

    def send(message: _Reply | _Fault | _Ready) -> None:
        with sending:
            connection.send(message)

    def answer(loaded: Future[BatchAnswerer], number: int, batch: Sequence[PhotoQuestions]) -> None:
        try:
            send(_Reply(number, loaded.result()(batch)))
        except OSError:  # nobody reads any more
            os._exit(1)
        except Exception as error:
            send(_Fault(_portable(error)))

    def first() -> BatchAnswerer:
        try:
            answerer = load()
        except Exception as error:
            send(_Fault(_portable(error)))
            raise
        send(_Ready())
        return answerer

    pool = ThreadPoolExecutor(DECODERS)
    loaded = pool.submit(first)
    try:
        while True:
            pool.submit(answer, loaded, *connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # not sys.exit, which waits for photos that nobody asks for any more


def _portable(error: Exception) -> Exception:
    """The error as it can be pickled, with the traceback of this process."""
    text = "".join(traceback.format_exception(error))
    try:
        type(error)(*error.args)
    except Exception:
        return RuntimeError(text)
    copy = error.with_traceback(None)
    copy.__cause__ = copy.__context__ = None
    copy.add_note(f"in a worker process:\n{text}")
    return copy
