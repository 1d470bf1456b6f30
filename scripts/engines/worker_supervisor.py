"""The thread that keeps one worker process busy, and alive."""

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple

from resformer.scripts.engines.engine import EngineError, PhotoQuestions, failed
from resformer.scripts.engines.network_settings import BatchAnswerer
from resformer.scripts.engines.worker_process import DECODERS, Worker, WorkerDied
from resformer.scripts.lib.journal import Questions

__all__ = ["Supervisor", "Task"]

START_ATTEMPTS = 3


class Task(NamedTuple):
    """A photo to be answered, and the key of its content."""

    questions: Questions
    content: bytes
    asked: PhotoQuestions


class _Stopped(Exception):
    """The run ends."""


class Supervisor:
    """Gives tasks to a worker; replaces it where it dies.

    What a worker had under way when it died is tried again, one photo at a time, so that the photo which kills it is
    known: that one gets an error for an answer.

    Args:
        load: Makes what answers, in the worker.
        tasks: Shared by all supervisors.
        report: Is told each task with its outcomes, or the exception that ends the run.
        batch: Tasks that the worker gets at once.
    """

    def __init__(
        self,
        load: Callable[[], BatchAnswerer],
        tasks: "SimpleQueue[Task | None]",
        report: Callable[[Any], None],
        batch: int,
    ):
        self._load, self._tasks, self._report, self._batch = load, tasks, report, batch
        self._stopped = Event()
        self._worker: Worker | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the worker, whatever it does, and the thread soon after."""
        self._stopped.set()
        self._tasks.put(None)
        if worker := self._worker:
            worker.kill()

    def join(self) -> None:
        """Waits for the end of the thread."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._start()
            while True:
                self._answer_until_death()
        except _Stopped:
            pass
        except BaseException as error:
            self._report(error)
        finally:
            if self._worker:
                self._worker.close()

    def _answer_until_death(self) -> None:
        under_way: dict[int, list[Task]] = {}
        try:
            while True:
                # A batch more than the worker can have under way lies ready in its pipe.
                while len(under_way) <= DECODERS and (batch := self._take(wait=not under_way)):
                    under_way[self._send(batch, under_way)] = batch
                number, outcomes = self._live.receive()
                for task, of_photo in zip(under_way.pop(number), outcomes, strict=True):
                    self._report((task, of_photo))
        except WorkerDied:
            self._start()
            self._try_alone(deque(task for batch in under_way.values() for task in batch))

    def _send(self, batch: list[Task], under_way: dict[int, list[Task]]) -> int:
        try:
            return self._live.send([task.asked for task in batch])
        except WorkerDied:
            under_way[0] = batch  # numbers begin at 1
            raise

    def _try_alone(self, suspects: deque[Task]) -> None:
        for task in suspects:
            try:
                self._live.send([task.asked])
                _, (outcomes,) = self._live.receive()
            except WorkerDied as death:
                error = f"WorkerDied: the process that answered it {death}; so it was for a second time"
                outcomes = dict(failed(task.questions, error).outcomes)
                self._start()
            self._report((task, outcomes))

    def _take(self, *, wait: bool) -> list[Task]:
        """Up to a batch of tasks; none where there are none and nobody waits."""
        taken: list[Task] = []
        while len(taken) < self._batch:
            try:
                task = self._tasks.get(block=wait and not taken)
            except Empty:
                break
            if task is None or self._stopped.is_set():
                raise _Stopped
            taken.append(task)
        return taken

    @property
    def _live(self) -> Worker:
        assert self._worker
        if self._stopped.is_set():
            raise _Stopped
        return self._worker

    def _start(self) -> None:
        """Starts a worker in place of one that is gone."""
        for attempt in range(START_ATTEMPTS):
            if self._worker:
                self._worker.close()
            if self._stopped.is_set():
                raise _Stopped
            self._worker = Worker(self._load)
            if self._stopped.is_set():  # `stop` may have come too early to see this worker
                raise _Stopped
            try:
                return self._worker.wait_until_ready()
            except WorkerDied as death:
                if attempt + 1 == START_ATTEMPTS:
                    raise EngineError(
                        f"a worker process {death} while it loaded the network, {START_ATTEMPTS} times; "
                        "try fewer of them: --workers"
                    ) from death
        raise AssertionError("unreachable")
