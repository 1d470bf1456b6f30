"""The engine that answers in worker processes of this machine.

Photos are fetched here, in threads, and their bytes go to whichever worker is free. A photo that was answered under
another name is not answered again.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from resformer.scripts.engines.engine import Answered, PhotoQuestions, failed
from resformer.scripts.engines.network_settings import BatchAnswerer
from resformer.scripts.engines.worker_supervisor import Supervisor, Task
from resformer.scripts.lib.journal import Outcome, Questions, about_text
from resformer.scripts.lib.photo_sources import PhotoError, PhotoSource

__all__ = ["AnswersByContent", "ProcessEngine"]

AHEAD = 4  # photos under way for each thread and each worker: room for quick ones to go ahead of slow ones


class AnswersByContent(Protocol):
    """What was answered before, by the content of photo and questions. A journal is one."""

    def same_content(self, content: bytes, questions: Questions) -> Mapping[str, Outcome] | None:
        """The outcomes of questions of this content; None where there are none."""
        ...

    def remember_content(self, content: bytes, questions: Questions) -> None:
        """Tells which content these questions have; their outcomes follow."""
        ...


class _Fetched(NamedTuple):
    questions: Questions
    photo: bytes
    content: bytes


class ProcessEngine:
    """Fetches photos in threads and answers them in processes.

    Args:
        photos: Where they come from.
        load: Makes what answers, in each worker; is pickled.
        known: What was answered before.
        workers: Processes.
        jobs: Threads that fetch.
        batch: Photos that a worker answers at once.
    """

    def __init__(
        self,
        photos: PhotoSource,
        load: Callable[[], BatchAnswerer],
        known: AnswersByContent,
        *,
        workers: int,
        jobs: int,
        batch: int = 1,
    ):
        self._photos, self._load, self._known = photos, load, known
        self._workers, self._jobs, self._batch = workers, jobs, batch

    def answers(self, questions: Iterable[Questions]) -> Generator[Answered]:
        """See Engine."""
        events: SimpleQueue[Answered | _Fetched | tuple[Task, dict[str, Outcome]] | BaseException] = SimpleQueue()
        tasks: SimpleQueue[Task | None] = SimpleQueue()
        twins: dict[bytes, list[Questions]] = {}  # by content, photos that wait for the answers of an equal one
        room = AHEAD * (self._jobs + self._workers * self._batch)
        remaining = iter(questions)
        under_way = 0

        def fetch(asked: Questions) -> None:
            try:
                photo = self._photos(asked.image)
                events.put(_Fetched(asked, photo, _content(photo, asked)))
            except PhotoError as error:
                events.put(failed(asked, str(error)))
            except BaseException as error:
                events.put(error)

        fetchers = ThreadPoolExecutor(self._jobs)
        supervisors = [Supervisor(self._load, tasks, events.put, self._batch) for _ in range(self._workers)]
        try:
            while True:
                while under_way < room and (asked := next(remaining, None)) is not None:
                    fetchers.submit(fetch, asked)
                    under_way += 1
                if not under_way:
                    return
                done: list[Answered] = []
                event = events.get()
                if isinstance(event, BaseException):
                    raise event
                if isinstance(event, Answered):
                    done = [event]
                elif not isinstance(event, _Fetched):
                    task, outcomes = event
                    done = [Answered(asked, outcomes) for asked in (task.questions, *twins.pop(task.content))]
                    self._known.remember_content(task.content, task.questions)
                elif known := self._known.same_content(event.content, event.questions):
                    done = [Answered(event.questions, known)]
                elif event.content in twins:
                    twins[event.content].append(event.questions)
                else:
                    twins[event.content] = []
                    wanted = PhotoQuestions(event.photo, event.questions.entities, event.questions.about)
                    tasks.put(Task(event.questions, event.content, wanted))
                under_way -= len(done)
                yield from done
        finally:
            for supervisor in supervisors:
                supervisor.stop()
            fetchers.shutdown(cancel_futures=True)
            for supervisor in supervisors:
                supervisor.join()


def _content(photo: bytes, questions: Questions) -> bytes:
    """Equal for what has the same answers: a photo's bytes, the entities, and what else is known of the product."""
    asked = "\n".join([about_text(questions.about), *questions.entities])
    return sha256(sha256(photo).digest() + asked.encode()).digest()
