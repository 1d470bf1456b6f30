"""The network of a run, as settings that travel to other processes and machines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from resformer.model.errors import ResformerError
from resformer.scripts.engines.engine import PhotoQuestions, outcomes_of
from resformer.scripts.lib.answerers import Answerer, in_process, load_predictor
from resformer.scripts.lib.journal import Outcome

if TYPE_CHECKING:
    from resformer.model.photo_query import Query
    from resformer.model.prediction import Result
    from resformer.model.predictor import Predictor

__all__ = ["BatchAnswerer", "NetworkSettings"]

BatchAnswerer = Callable[[Sequence[PhotoQuestions]], list[dict[str, Outcome]]]
"""From photos with their questions to the outcomes of each."""


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """What loads a network and asks it.

    Attributes:
        weights, schema: Files; None are the shipped ones.
        reader, min_confidence, assume_present: As those of Predictor.
        threads: Of the network; None keeps torch's own choice.
        device: Where it computes, as torch names it.
    """

    weights: Path | None = None
    schema: Path | None = None
    reader: str | None = None
    min_confidence: float | None = None
    assume_present: bool = False
    threads: int | None = None
    device: str = "cpu"

    def with_threads(self, threads: int) -> Self:
        """The same with another number of threads."""
        return replace(self, threads=threads)

    def answerer(self) -> Answerer:
        """Loads the network into this process.

        Raises:
            UnusableFile: It cannot be loaded.
        """
        return self._answerer(self._load())

    def batch_answerer(self) -> BatchAnswerer:
        """As `answerer`, for several photos at once."""
        predictor = self._load()
        alone = self._answerer(predictor)

        def answer(batch: Sequence[PhotoQuestions]) -> list[dict[str, Outcome]]:
            if len(batch) == 1:  # bit for bit what other engines answer; sums of a batch are rounded in another order
                return [outcomes_of(alone, batch[0])]
            results = predictor.predict_many([self._query(asked) for asked in batch])
            return [_outcomes(asked, result) for asked, result in zip(batch, results, strict=True)]

        return answer

    def _load(self) -> "Predictor":
        return load_predictor(
            weights=self.weights, schema=self.schema, reader=self.reader, threads=self.threads, device=self.device
        )

    def _answerer(self, predictor: "Predictor") -> Answerer:
        return in_process(predictor, min_confidence=self.min_confidence, assume_present=self.assume_present)

    def _query(self, asked: PhotoQuestions) -> "Query":
        from resformer.model.photo_query import Query  # imports torch, which this process need not have

        return Query(
            asked.photo,
            asked.entities,
            title=asked.about.get("title", ""),
            description=asked.about.get("description", ""),
            group_id=asked.about.get("group_id", ""),
            min_confidence=self.min_confidence,
            assume_present=self.assume_present,
        )


def _outcomes(asked: PhotoQuestions, result: "Result | Exception") -> dict[str, Outcome]:
    if isinstance(result, ResformerError):
        return {name: Outcome(None, f"{type(result).__name__}: {result}") for name in asked.entities}
    if isinstance(result, Exception):
        raise result
    answers = result.as_dict()["predictions"]
    return {name: Outcome(answers[name], "") for name in asked.entities}
