"""The network of a run, as settings that travel to other processes and machines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from resformer.scripts.engines.engine import PhotoQuestions, outcomes_of
from resformer.scripts.lib.answerers import Answerer, answerer_for
from resformer.scripts.lib.journal import Outcome

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
        return answerer_for(
            weights=self.weights,
            schema=self.schema,
            reader=self.reader,
            min_confidence=self.min_confidence,
            assume_present=self.assume_present,
            endpoint_url=None,
            token="",
            key_file=None,
            threads=self.threads,
            device=self.device,
        )

    def batch_answerer(self) -> BatchAnswerer:
        """As `answerer`, for several photos at once."""
        answerer = self.answerer()
        return lambda batch: [outcomes_of(answerer, asked) for asked in batch]
