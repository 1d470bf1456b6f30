"""The temperature and the threshold of a kind of entity, fitted on the validation split."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from resformer.model.inference.calibration import Calibration

__all__ = ["KindAnswers", "accuracy", "confidences", "fit_calibration", "fit_temperature", "strict_f1"]

TEMPERATURES = np.geomspace(0.5, 3, 37)
THRESHOLDS = np.linspace(0.05, 0.9, 35)
EMPTY = 0  # the first answer


@dataclass(frozen=True)
class KindAnswers:
    """The answers to questions of one kind.

    Attributes:
        logits: (answers,) of each question, the empty answer first.
        right: bool, those of them that are right.
        no_answer: index of what makes others less likely but is no answer itself, or -1.
        groups: of products, such as those of one department. A temperature fits all groups, not the largest alone.
    """

    logits: list[np.ndarray] = field(default_factory=list)
    right: list[np.ndarray] = field(default_factory=list)
    no_answer: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    def __add__(self, other: "KindAnswers") -> "KindAnswers":
        return KindAnswers(
            self.logits + other.logits,
            self.right + other.right,
            self.no_answer + other.no_answer,
            self.groups + other.groups,
        )

    def add(
        self, logits: np.ndarray, right: np.ndarray, no_answer: int = -1, groups: Sequence[int] | None = None
    ) -> None:
        """Adds questions: logits and right (questions, answers); without `groups` all are of one."""
        self.logits.extend(logits)
        self.right.extend(right)
        self.no_answer.extend([no_answer] * len(logits))
        self.groups.extend(groups if groups is not None else [0] * len(logits))


def fit_temperature(answers: KindAnswers) -> float:
    """The temperature that maximizes the likelihood of the right answers (arXiv 1706.04599), see KindAnswers.groups."""
    temperatures: list[float] = TEMPERATURES.tolist()
    best = max(temperatures, key=lambda t: _log_likelihood(answers, t))
    return round(best, 3)


def fit_calibration(answers: KindAnswers) -> Calibration:
    """The best temperature, and the threshold that then maximizes the strict F1."""
    temperature = fit_temperature(answers)
    found = [Calibration(temperature, round(threshold, 3)) for threshold in THRESHOLDS.tolist()]
    return max(found, key=lambda calibration: strict_f1(answers, calibration))


def strict_f1(answers: KindAnswers, calibration: Calibration) -> float:
    """F1 by which a wrong answer is a false positive and a false negative."""
    given = truths = hits = 0
    for logits, right, no_answer in zip(answers.logits, answers.right, answers.no_answer, strict=True):
        probabilities = _softmax(logits / calibration.temperature)
        probabilities[[EMPTY, *([no_answer] if no_answer >= 0 else [])]] = 0.0
        best = int(np.argmax(probabilities))
        answered = bool(probabilities[best] >= (calibration.min_confidence or 0.0))
        given += answered
        truths += bool(not right[EMPTY] or (answered and right[best]))
        hits += bool(answered and right[best])
    return 2 * hits / max(1, given + truths)


def confidences(answers: KindAnswers, calibration: Calibration) -> tuple[list[float], list[float]]:
    """The probability of each likeliest answer, and 1 where it is right, 0 elsewhere."""
    given: list[float] = []
    hits: list[float] = []
    for logits, right, no_answer in zip(answers.logits, answers.right, answers.no_answer, strict=True):
        probabilities = _softmax(logits / calibration.temperature)
        order = np.argsort(-probabilities, kind="stable")
        best = next(int(i) for i in order if i != no_answer)
        given.append(float(probabilities[best]))
        hits.append(float(right[best]))
    return given, hits


def accuracy(answers: KindAnswers) -> float:
    """The fraction of questions whose likeliest answer is right."""
    hits = 0
    for logits, right, no_answer in zip(answers.logits, answers.right, answers.no_answer, strict=True):
        order = np.argsort(-logits, kind="stable")
        hits += bool(right[next(i for i in order if i != no_answer)])
    return hits / max(1, len(answers.logits))


def _log_likelihood(answers: KindAnswers, temperature: float) -> float:
    likelihoods = [
        np.log(max(1e-9, float(_softmax(logits / temperature)[right].sum())))
        for logits, right in zip(answers.logits, answers.right, strict=True)
    ]
    # A group counts by the square root of its size: a catalogue may be of any kind of product, but the mean over a few
    # questions is uncertain.
    _, members, sizes = np.unique(answers.groups, return_inverse=True, return_counts=True)
    return float(np.average(likelihoods, weights=1 / np.sqrt(sizes[members])))


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max())
    probabilities: np.ndarray = exponentials / exponentials.sum()
    return probabilities
