"""The engine that asks servers."""

from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue

from resformer.scripts.engines.engine import Answered, failed
from resformer.scripts.lib.endpoint_pool import Answers, EndpointPool
from resformer.scripts.lib.journal import Outcome, Questions
from resformer.scripts.lib.photo_sources import PhotoError, PhotoSource

__all__ = ["EndpointEngine"]

FETCHERS = 32


class EndpointEngine:
    """Fetches photos in threads and asks servers about them, as many at once as they take.

    Args:
        photos: Where they come from.
        endpoints: The servers; they are closed when the run ends.
        fetchers: Threads that fetch.
    """

    def __init__(self, photos: PhotoSource, endpoints: EndpointPool, fetchers: int = FETCHERS):
        self._photos, self._endpoints, self._fetchers = photos, endpoints, fetchers

    def answers(self, questions: Iterable[Questions]) -> Generator[Answered]:
        """See Engine."""
        done: SimpleQueue[Answered | BaseException] = SimpleQueue()
        remaining = iter(questions)
        under_way = 0
        fetchers = ThreadPoolExecutor(self._fetchers, "photos")

        def ask(asked: Questions) -> None:
            try:
                photo = self._photos(asked.image)
                future = self._endpoints.submit(photo, asked.entities, asked.about)
            except PhotoError as error:
                done.put(failed(asked, str(error)))
            except BaseException as error:
                done.put(error)
            else:
                future.add_done_callback(partial(_report, done, asked))

        try:
            while True:
                while under_way < self._endpoints.room and (asked := next(remaining, None)) is not None:
                    fetchers.submit(ask, asked)
                    under_way += 1
                if not under_way:
                    return
                outcome = done.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                under_way -= 1
                yield outcome
        finally:
            fetchers.shutdown(wait=False, cancel_futures=True)  # a download that is under way ends with its Downloader
            self._endpoints.close()


def _report(done: "SimpleQueue[Answered | BaseException]", asked: Questions, future: "Future[Answers]") -> None:
    try:
        answers: Mapping[str, Mapping[str, object]] = future.result()
    except PhotoError as error:
        done.put(failed(asked, str(error)))
    except BaseException as error:
        done.put(error)
    else:
        done.put(Answered(asked, {name: Outcome(answers[name], "") for name in asked.entities}))
