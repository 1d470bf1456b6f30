"""The engine that answers in threads of this process: for a few photos, and for answerers that wait for a server."""

from collections.abc import Generator, Iterable

from resformer.client.in_order import mapped
from resformer.scripts.engines.engine import Answered, PhotoQuestions, failed, outcomes_of
from resformer.scripts.lib.answerers import Answerer
from resformer.scripts.lib.journal import Questions
from resformer.scripts.lib.photo_sources import PhotoError, PhotoSource

__all__ = ["ThreadsEngine"]


class ThreadsEngine:
    """Fetches and answers photos in threads, in order.

    Args:
        photos: Where they come from.
        answerer: What answers.
        jobs: Threads.
    """

    def __init__(self, photos: PhotoSource, answerer: Answerer, jobs: int):
        self._photos, self._answerer, self._jobs = photos, answerer, jobs

    def answers(self, questions: Iterable[Questions]) -> Generator[Answered]:
        """See Engine."""
        yield from mapped(self._answered, questions, self._jobs)

    def _answered(self, questions: Questions) -> Answered:
        try:
            photo = self._photos(questions.image)
        except PhotoError as error:
            return failed(questions, str(error))
        asked = PhotoQuestions(photo, questions.entities, questions.about)
        return Answered(questions, outcomes_of(self._answerer, asked))
