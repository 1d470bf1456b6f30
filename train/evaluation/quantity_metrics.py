"""Metrics of the public challenge: F1 from exact strings, micro, per entity, and weighted as its test set (mix)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from resformer.train.evaluation.bootstrap import bootstrap_samples

__all__ = [
    "MIX",
    "Counts",
    "Score",
    "ScoredAnswer",
    "calibration_error",
    "f1_interval",
    "p_not_better",
    "precision_at_coverage",
    "score",
]

# Fraction of each entity among the test rows of the challenge.
MIX = {
    "height": 0.246,
    "depth": 0.215,
    "width": 0.205,
    "item_weight": 0.168,
    "maximum_weight_recommendation": 0.054,
    "voltage": 0.042,
    "wattage": 0.041,
    "item_volume": 0.029,
}


@dataclass
class Counts:
    """Rows by outcome. A wrong prediction is a false positive only, as the challenge counts."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def add(self, prediction: str, accepted: tuple[str, ...]) -> None:
        """Counts one row.

        Args:
            prediction: canonical; empty for "not shown".
            accepted: canonical answers that are right; empty where the photo does not show the value, "" among them
                where the empty answer is right as well.
        """
        if prediction:
            if prediction in accepted:
                self.true_positive += 1
            else:
                self.false_positive += 1
        elif accepted and "" not in accepted:
            self.false_negative += 1
        else:
            self.true_negative += 1

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def precision(self) -> float:
        """Fraction of the non-empty predictions that are right."""
        return self.true_positive / max(self.true_positive + self.false_positive, 1)

    @property
    def recall(self) -> float:
        """True positives over true positives and false negatives."""
        return self.true_positive / max(self.true_positive + self.false_negative, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        p, r = self.precision, self.recall
        return 2 * p * r / (p + r) if p + r else 0.0


@dataclass(frozen=True)
class Score:
    """Counts over all rows and per entity."""

    micro: Counts
    entities: dict[str, Counts]

    @property
    def mix(self) -> float:
        """Mean of the per-entity F1, weighted by MIX, over the entities that occur."""
        present = {name: MIX[name] for name in self.entities if name in MIX}
        if not present:
            return 0.0
        return sum(self.entities[n].f1 * weight for n, weight in present.items()) / sum(present.values())

    def over(self, names: Iterable[str]) -> Counts:
        """Counts over the rows of the named entities; none of them need occur."""
        return sum((self.entities[name] for name in names if name in self.entities), Counts())

    def as_dict(self) -> dict[str, object]:
        """The score as it is written to JSON."""
        entities = {
            name: {"f1": c.f1, "precision": c.precision, "recall": c.recall, "rows": c.rows}
            for name, c in sorted(self.entities.items())
        }
        micro = self.micro
        return {
            "f1_micro": micro.f1,
            "f1_mix": self.mix,
            "precision": micro.precision,
            "recall": micro.recall,
            "rows": micro.rows,
            "entities": entities,
        }

    def table(self) -> str:
        """A plain-text table, one line per entity."""
        lines = [f"{'':32}{'F1':>7}{'P':>7}{'R':>7}{'rows':>7}"]
        for name, c in [*sorted(self.entities.items()), ("micro", self.micro)]:
            lines.append(f"{name:32}{c.f1:7.3f}{c.precision:7.3f}{c.recall:7.3f}{c.rows:7d}")
        return "\n".join([*lines, f"{'mix':32}{self.mix:7.3f}"])


def score(rows: Iterable[tuple[str, str, tuple[str, ...]]]) -> Score:
    """Scores rows of (entity name, canonical prediction, canonical accepted answers)."""
    micro, entities = Counts(), dict[str, Counts]()
    for entity, prediction, accepted in rows:
        micro.add(prediction, accepted)
        entities.setdefault(entity, Counts()).add(prediction, accepted)
    return Score(micro, entities)


ScoredAnswer = tuple[str, str, tuple[str, ...]]
"""Photo, canonical prediction, canonical accepted answers."""


def _resampled_f1(rows: Sequence[ScoredAnswer], samples: int) -> np.ndarray:
    """(samples,) micro-F1 of bootstrap samples of photos, each with all its rows: errors on one photo correlate."""
    photos: dict[str, Counts] = {}
    for photo, prediction, accepted in rows:
        photos.setdefault(photo, Counts()).add(prediction, accepted)
    table = np.array([[c.true_positive, c.false_positive, c.false_negative] for _, c in sorted(photos.items())])
    right, wrong, missed = table[bootstrap_samples(len(table), samples)].sum(axis=1).T
    return 2.0 * right / np.maximum(2 * right + wrong + missed, 1)


def f1_interval(rows: Sequence[ScoredAnswer], samples: int = 2000) -> tuple[float, float]:
    """95 % interval of micro-F1, by a bootstrap over photos."""
    low, high = np.quantile(_resampled_f1(rows, samples), [0.025, 0.975])
    return float(low), float(high)


def p_not_better(ours: Sequence[ScoredAnswer], theirs: Sequence[ScoredAnswer], samples: int = 2000) -> float:
    """Fraction of paired bootstrap samples in which our micro-F1 is not above theirs, on the same photos."""
    return float((_resampled_f1(ours, samples) <= _resampled_f1(theirs, samples)).mean())


def calibration_error(confidences: Sequence[float], right: Sequence[float], bins: int = 5) -> float:
    """Expected calibration error over bins of equal mass (Nguyen and O'Connor, doi 10.18653/v1/D15-1182).

    Rows of equal confidence get their common accuracy, so that the order of the rows does not matter.

    Args:
        confidences: (N,) in 0..1.
        right: (N,) whether each answer is right, or how right it is in 0..1.
        bins: number of bins.
    """
    values, where, counts = np.unique(np.asarray(confidences, dtype=float), return_inverse=True, return_counts=True)
    accuracies = np.bincount(where, weights=np.asarray(right, dtype=float)) / counts
    confidence, accuracy = np.repeat(values, counts), np.repeat(accuracies, counts)
    chunks = [chunk for chunk in np.array_split(np.arange(len(confidence)), bins) if len(chunk)]
    errors = [abs(confidence[chunk].mean() - accuracy[chunk].mean()) * len(chunk) for chunk in chunks]
    return float(sum(errors) / len(confidence))


def precision_at_coverage(coverage: float, confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Precision of the most confident answers that make up the fraction `coverage` of all."""
    order = np.argsort(-np.asarray(confidences, dtype=float), kind="stable")
    kept = order[: max(1, round(coverage * len(order)))]
    return float(np.asarray(right, dtype=float)[kept].mean())
