"""The likeliest answers: quantities that were read, or that nothing is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from resformer.model.networks.decoder import EMPTY, READ, UNREAD

__all__ = ["Answer", "Crossing", "decode"]

# A wrong answer costs F1 as much as a missed one does, where something is shown; where nothing is, only the answer
# costs. With F1 at F, an answer of probability p is worth giving if p_empty < p (2 - F) / F: here F is 0.85.
EMPTY_MARGIN = 1.35
# What one print as the answer to both of two crossing questions counts of its probability: seldom is a product as wide
# as it is high. Boosted trees scored best with 0.1 to 0.7 on training photos that they had not seen.
ONE_PRINT = 0.3


@dataclass
class Answer:
    """What was decoded for one question.

    Attributes:
        candidate: index of the candidate that the answer points to, or None where nothing is shown.
        others: the likeliest candidates, None for the empty answer, each with its probability, likeliest first.
    """

    candidate: int | None
    probability: float
    others: list[tuple[int | None, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Crossing:
    """Two questions about the same candidates, whose answers are measured across each other.

    Attributes:
        first, second: numbers of the questions.
        amounts: of each candidate, a number that those share which give the same amount, in whatever unit.
    """

    first: int
    second: int
    amounts: Sequence[int]


def decode(
    logits: Tensor,
    strings: Sequence[Sequence[str]],
    *,
    crossing: Sequence[Crossing] = (),
    temperature: float = 1.0,
    empty_margin: float = EMPTY_MARGIN,
    top: int = 0,
) -> list[Answer]:
    """Answers all questions of a batch.

    The empty answer has to be likelier than another one by `empty_margin`. That the value was not read is no answer;
    it only makes the others less likely.

    Args:
        logits: (Q, READ + C), see model.networks.decoder.PointerDecoder.
        strings: of each question, the candidates' canonical strings. Equal ones are one answer: their
            probabilities add up.
        crossing: pairs of questions that choose together. Both have candidates.
        temperature: divides the logits, so that a probability says how often such an answer is right.
        top: how many of the likeliest candidates are told.
    """
    chances = (logits.float() / temperature).softmax(dim=-1).cpu().numpy()
    rows = [_pooled(row[: READ + len(texts)], texts) for row, texts in zip(chances, strings, strict=True)]
    worth = [_worth(row, empty_margin) for row in rows]
    chosen = [int(row.argmax()) for row in worth]
    for pair in crossing:
        chosen[pair.first], chosen[pair.second] = _choose_together(pair, worth[pair.first], worth[pair.second])
    return [
        Answer(_candidate(place), float(row[place]), _likeliest(row, top))
        for place, row in zip(chosen, rows, strict=True)
    ]


def _candidate(place: int) -> int | None:
    return place - READ if place >= READ else None


def _worth(row: np.ndarray, empty_margin: float) -> np.ndarray:
    worth = row.copy()
    worth[EMPTY] /= empty_margin
    worth[UNREAD] = 0.0
    return worth


def _choose_together(pair: Crossing, first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    """The likeliest places of both questions, one amount for both being ONE_PRINT as likely as it seems."""
    amounts = np.array([*[-1] * READ, *pair.amounts])
    joint = np.outer(first, second)
    joint[(amounts[:, None] == amounts) & (amounts >= 0)] *= ONE_PRINT
    one, other = np.unravel_index(joint.argmax(), joint.shape)
    return int(one), int(other)


def _likeliest(row: np.ndarray, top: int) -> list[tuple[int | None, float]]:
    """The empty answer and the candidates, pooled, of which those without a probability are left out."""
    order = [int(place) for place in np.argsort(-row, kind="stable") if place != UNREAD and row[place] > 0]
    return [(_candidate(place), float(row[place])) for place in order[:top]]


def _pooled(row: np.ndarray, strings: Sequence[str]) -> np.ndarray:
    """Probabilities (READ + C,) where the likeliest of the candidates with one string has that of all of them."""
    pooled = row.copy()
    for string in set(strings):
        same = [READ + c for c, s in enumerate(strings) if s == string]
        pooled[same] = 0.0
        pooled[max(same, key=row.__getitem__)] = row[same].sum()
    return pooled
