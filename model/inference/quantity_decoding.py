"""From the logits of questions about quantities to the likeliest answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = [
    "EMPTY",
    "EMPTY_MARGIN",
    "FIRST_CANDIDATE",
    "UNREAD",
    "ExclusivePair",
    "QuantityAnswer",
    "decode_quantities",
    "outcome_of",
]

# Answers to a question: nothing is shown; what is shown was not read; from FIRST_CANDIDATE on, the candidates.
EMPTY, UNREAD, FIRST_CANDIDATE = range(3)

# Where the product is presumed to have the value: a wrong answer costs F1 as much as a missed one where something is
# shown; where nothing is, only the answer costs. At F1 = F, an answer of probability p is worth giving if
# p_empty < p (2 - F) / F. Here F is 0.85.
EMPTY_MARGIN = 1.35
# Factor on the probability that one value answers both questions of an exclusive pair: few products are as wide as they
# are high. Boosted trees scored best with 0.1 to 0.7 on held-out photos.
SHARED_VALUE_FACTOR = 0.3


@dataclass
class QuantityAnswer:
    """The answer to one question.

    Attributes:
        candidate: index of the candidate that the answer points to; None: nothing is shown.
        alternatives: the likeliest candidates, None for the empty answer, each with its probability, likeliest first.
    """

    candidate: int | None
    probability: float
    alternatives: list[tuple[int | None, float]] = field(default_factory=list)


@dataclass(frozen=True)
class ExclusivePair:
    """Two questions about the same candidates, which one value seldom answers both.

    Attributes:
        first, second: indices of the questions.
        amounts: an integer for each candidate, equal for those that give the same amount in whatever unit.
    """

    first: int
    second: int
    amounts: Sequence[int]


def decode_quantities(
    probabilities: Sequence[np.ndarray],
    strings: Sequence[Sequence[str]],
    *,
    min_confidence: Sequence[float | None],
    exclusive_pairs: Sequence[ExclusivePair] = (),
    top_k: int = 0,
) -> list[QuantityAnswer]:
    """Answers all questions about a photo. UNREAD is no answer; it only makes the others less likely.

    Probabilities of an exclusive pair are those of both questions together: one amount for both is less likely by
    SHARED_VALUE_FACTOR.

    Args:
        probabilities: (FIRST_CANDIDATE + C,) of each question.
        strings: the candidates' canonical strings, by question. Equal ones are one answer: their probabilities add up.
        min_confidence: by question, the probability below which an answer is empty; None: it is empty where that is
            likelier by the factor EMPTY_MARGIN.
        exclusive_pairs: questions of which one value seldom answers both. Both have candidates.
        top_k: how many alternatives an answer has.
    """
    rows = list(probabilities)
    for pair in exclusive_pairs:
        rows[pair.first], rows[pair.second] = _together(pair, rows[pair.first], rows[pair.second])
    pooled = [_pool_equal(row, texts) for row, texts in zip(rows, strings, strict=True)]
    chosen = [_choose(row, least) for row, least in zip(pooled, min_confidence, strict=True)]
    return [
        QuantityAnswer(_candidate(index), float(row[index]), _alternatives(row, top_k))
        for index, row in zip(chosen, pooled, strict=True)
    ]


def outcome_of(probabilities: np.ndarray, strings: Sequence[str], answer: QuantityAnswer) -> str:
    """What became of a question, of QUANTITY_OUTCOMES.

    Args:
        probabilities: (FIRST_CANDIDATE + C,), as those of decode_quantities.
        strings: the candidates' canonical strings.
    """
    if answer.candidate is not None:
        return "answered"
    likeliest = int(_pool_equal(probabilities, strings).argmax())
    return {EMPTY: "absent", UNREAD: "unread"}.get(likeliest, "withheld")


def _candidate(index: int) -> int | None:
    return index - FIRST_CANDIDATE if index >= FIRST_CANDIDATE else None


def _choose(row: np.ndarray, min_confidence: float | None) -> int:
    """The index of the answer."""
    best = FIRST_CANDIDATE + int(row[FIRST_CANDIDATE:].argmax()) if len(row) > FIRST_CANDIDATE else EMPTY
    is_empty = row[EMPTY] > EMPTY_MARGIN * row[best] if min_confidence is None else row[best] < min_confidence
    return EMPTY if is_empty else best


def _together(pair: ExclusivePair, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The marginal probabilities of both questions, with SHARED_VALUE_FACTOR on one amount for both."""
    amounts = np.array([*[-1] * FIRST_CANDIDATE, *pair.amounts])
    joint = np.outer(first, second)
    joint[(amounts[:, None] == amounts) & (amounts >= 0)] *= SHARED_VALUE_FACTOR
    joint /= joint.sum()
    return joint.sum(axis=1), joint.sum(axis=0)


def _alternatives(row: np.ndarray, top_k: int) -> list[tuple[int | None, float]]:
    """The likeliest of the empty answer and the pooled candidates, without those of probability zero."""
    order = [int(index) for index in np.argsort(-row, kind="stable") if index != UNREAD and row[index] > 0]
    return [(_candidate(index), float(row[index])) for index in order[:top_k]]


def _pool_equal(row: np.ndarray, strings: Sequence[str]) -> np.ndarray:
    """Probabilities (FIRST_CANDIDATE + C,), where the likeliest of the candidates with one string has that of all."""
    pooled = row.copy()
    for string in set(strings):
        equal = [FIRST_CANDIDATE + c for c, s in enumerate(strings) if s == string]
        pooled[equal] = 0.0
        pooled[max(equal, key=row.__getitem__)] = row[equal].sum()
    return pooled
