"""Scores of whole rows: every quantity of the schema is asked about every photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from resformer.train.data.quantity_records import Question, Record
from resformer.train.evaluation.bootstrap import bootstrap_samples
from resformer.train.evaluation.quantity_metrics import Counts

__all__ = ["RowScore", "difference", "is_right", "score_photo_rows", "strict_counts"]

COLUMNS = ("true_positive", "false_positive", "false_negative", "all_right", "false_answer")


def is_right(question: Question, answer: str) -> bool:
    """Whether a canonical answer counts as right."""
    return answer in question.accepted_texts if answer else question.empty_is_right


def strict_counts(question: Question, answer: str) -> Counts:
    """Counts of one answer. A wrong one is a false positive, and a false negative as well where a value is shown.

    Args:
        answer: canonical; "" for the empty answer, which is no error where it is accepted.
    """
    right = is_right(question, answer)
    return Counts(
        true_positive=int(right and bool(answer)),
        false_positive=int(not right and bool(answer)),
        false_negative=int(not right and not question.empty_is_right),
        true_negative=int(right and not answer),
    )


@dataclass(frozen=True)
class RowScore:
    """What a system answered about some photos.

    Attributes:
        photos: (photos, len(COLUMNS)), of each photo the counts of its answers, whether all are right, and whether one
            is given where nothing is shown.
        entities: counts by entity.
    """

    photos: np.ndarray
    entities: Mapping[str, Counts]

    def as_dict(self) -> dict[str, Any]:
        """Strict F1, precision and recall, fractions of photos, each with its 95 % interval; and scores by entity."""
        micro = sum(self.entities.values(), Counts())
        f1, all_right, false_answer = _statistics(self.photos.sum(axis=0), len(self.photos))
        low, high = np.quantile(_resampled(self.photos), [0.025, 0.975], axis=1).tolist()
        return {
            "photos": len(self.photos),
            **{"f1": float(f1), "f1_interval": [low[0], high[0]]},
            **{"precision": micro.precision, "recall": micro.recall},
            **{"all_right": float(all_right), "all_right_interval": [low[1], high[1]]},
            **{"false_answer": float(false_answer), "false_answer_interval": [low[2], high[2]]},
            "entities": {
                name: {
                    **{"f1": counts.f1, "precision": counts.precision, "recall": counts.recall},
                    "answers": counts.true_positive + counts.false_positive,
                }
                for name, counts in self.entities.items()
            },
        }


def score_photo_rows(records: Sequence[Record], answers: Sequence[Mapping[str, str]]) -> RowScore:
    """Scores the answers to all questions of the records.

    Args:
        answers: of each record, canonical answers by entity; "" for the empty answer.
    """
    entities: dict[str, Counts] = {}
    photos = []
    for record, of_photo in zip(records, answers, strict=True):
        total, wrong, false_answer = Counts(), False, False
        for question in record.questions:
            answer = of_photo[question.entity.name]
            counts = strict_counts(question, answer)
            entities[question.entity.name] = entities.get(question.entity.name, Counts()) + counts
            total += counts
            wrong |= not is_right(question, answer)
            false_answer |= bool(answer) and not question.accepted
        photos.append(
            [total.true_positive, total.false_positive, total.false_negative, int(not wrong), int(false_answer)]
        )
    return RowScore(np.array(photos), entities)


def difference(ours: RowScore, theirs: RowScore) -> dict[str, Any]:
    """Strict F1 of one system less that of another one on the same photos, with its 95 % interval by the bootstrap."""
    values = _resampled(ours.photos)[0] - _resampled(theirs.photos)[0]
    f1 = [_statistics(score.photos.sum(axis=0), len(score.photos))[0] for score in (ours, theirs)]
    return {"f1": float(f1[0] - f1[1]), "f1_interval": np.quantile(values, [0.025, 0.975]).tolist()}


def _statistics(sums: np.ndarray, photos: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F1, fraction of rows that are right, and fraction with a false answer, from sums (..., len(COLUMNS))."""
    right, wrong, missed, all_right, false_answer = np.moveaxis(sums, -1, 0)
    return 2.0 * right / np.maximum(2 * right + wrong + missed, 1), all_right / photos, false_answer / photos


def _resampled(photos: np.ndarray) -> np.ndarray:
    """(3, samples), the statistics of bootstrap samples of photos; the same samples for any system."""
    return np.stack(_statistics(photos[bootstrap_samples(len(photos))].sum(axis=1), len(photos)))
