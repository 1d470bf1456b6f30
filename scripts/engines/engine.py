"""The interface of all engines."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from resformer.scripts.lib.answerers import Answerer
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.lib.journal import Outcome, Questions
from resformer.scripts.lib.photo_sources import PhotoError

__all__ = ["Answered", "Engine", "EngineError", "PhotoQuestions", "failed", "outcomes_of"]


class Answered(NamedTuple):
    """Questions about a photo, and the outcome of each by the name of its entity."""

    questions: Questions
    outcomes: Mapping[str, Outcome]


class PhotoQuestions(NamedTuple):
    """What a network needs to answer: the bytes of a photo's file, names of entities, group and texts."""

    photo: bytes
    entities: Sequence[str]
    about: Mapping[str, str]


class Engine(Protocol):
    """Answers questions about photos."""

    def answers(self, questions: Iterable[Questions]) -> Generator[Answered]:
        """Yields all questions once with their outcomes, in any order.

        Questions are drawn, in the caller's thread, as they are needed; all their entities are known to the network. A
        photo that cannot be answered is an outcome. Closing the generator ends the run.

        Raises:
            EngineError: The engine cannot go on.
            Exception: What reading photos or answering raised, other than PhotoError.
        """
        ...


class EngineError(ExternalError):
    """Processes or machines that answer cannot be used; the message says why."""


def failed(questions: Questions, error: str) -> Answered:
    """One error for all questions about a photo."""
    return Answered(questions, {name: Outcome(None, error) for name in questions.entities})


def outcomes_of(answerer: Answerer, asked: PhotoQuestions) -> dict[str, Outcome]:
    """The outcomes of a photo's questions; what is wrong with the photo is one for each of them."""
    try:
        answers = answerer(asked.photo, asked.entities, asked.about)
    except PhotoError as error:
        return {name: Outcome(None, str(error)) for name in asked.entities}
    return {name: Outcome(answers[name], "") for name in asked.entities}
