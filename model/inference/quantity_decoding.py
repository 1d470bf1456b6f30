"""From the logits of the quantity network to the likeliest answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from resformer.model.networks.decoder import EMPTY, FIRST_CANDIDATE, UNREAD

__all__ = ["EMPTY_MARGIN", "ExclusivePair", "QuantityAnswer", "decode_quantities"]

# A wrong answer costs F1 as much as a missed one where something is shown; where nothing is, only the answer costs. At
# F1 = F, an answer of probability p is worth giving if p_empty < p (2 - F) / F. Here F is 0.85.
EMPTY_MARGIN = 1.35
# Factor on the probability that one value answers both questions of an exclusive pair: few products are as wide as they
# are high. Boosted trees scored best with 0.1 to 0.7 on held-out photos.
SHARED_VALUE_FACTOR = 0.3


@dataclass
class QuantityAnswer:
    """The answer to one question.

    Attributes:
        candidate: index of the candidate that the answer points to; None: nothing is shown.
        probability: of this answer.
        empty_probability: of the empty answer.
        alternatives: the likeliest candidates, None for the empty answer, each with its probability, likeliest first.
    """

    candidate: int | None
    probability: float
    empty_probability: float
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
    logits: Tensor,
    strings: Sequence[Sequence[str]],
    *,
    exclusive_pairs: Sequence[ExclusivePair] = (),
    temperature: float = 1.0,
    empty_margin: float = EMPTY_MARGIN,
    top_k: int = 0,
) -> list[QuantityAnswer]:
    """Answers all questions of a batch.

    The empty answer wins where it is likelier than any other by the factor `empty_margin`, and where there is no other;
    an infinite margin gives the best guess. UNREAD is no answer; it only makes the others less likely.

    Args:
        logits: (Q, FIRST_CANDIDATE + C), see PointerDecoder.
        strings: the candidates' canonical strings, by question. Equal ones are one answer: their probabilities add up.
        exclusive_pairs: questions that are answered together. Both have candidates.
        temperature: divides the logits, so that a probability says how often such an answer is right.
        top_k: how many alternatives an answer has.
    """
    probabilities = (logits.float() / temperature).softmax(dim=-1).cpu().numpy()
    rows = [
        _pool_equal(row[: FIRST_CANDIDATE + len(texts)], texts)
        for row, texts in zip(probabilities, strings, strict=True)
    ]
    utilities = [_utilities(row, empty_margin) for row in rows]
    chosen = [int(row.argmax()) for row in utilities]
    for pair in exclusive_pairs:
        chosen[pair.first], chosen[pair.second] = _choose_jointly(pair, utilities[pair.first], utilities[pair.second])
    return [
        QuantityAnswer(_candidate(index), float(row[index]), float(row[EMPTY]), _alternatives(row, top_k))
        for index, row in zip(chosen, rows, strict=True)
    ]


def _candidate(index: int) -> int | None:
    return index - FIRST_CANDIDATE if index >= FIRST_CANDIDATE else None


def _utilities(row: np.ndarray, empty_margin: float) -> np.ndarray:
    utilities = row.copy()
    utilities[EMPTY] /= empty_margin
    utilities[UNREAD] = 0.0
    return utilities


def _choose_jointly(pair: ExclusivePair, first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    """The best indices of both questions, with SHARED_VALUE_FACTOR on one amount for both."""
    amounts = np.array([*[-1] * FIRST_CANDIDATE, *pair.amounts])
    joint = np.outer(first, second)
    joint[(amounts[:, None] == amounts) & (amounts >= 0)] *= SHARED_VALUE_FACTOR
    one, other = np.unravel_index(joint.argmax(), joint.shape)
    return int(one), int(other)


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
