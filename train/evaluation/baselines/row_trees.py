"""Gradient-boosted trees that answer every question about a photo, taught by whole rows."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np

from resformer.model.inference.inputs import Preprocessor
from resformer.train.data.quantity_records import Record
from resformer.train.evaluation.baselines.trees import ROUNDS, SETTINGS, answer_scores, candidate_table
from resformer.train.evaluation.quantity_metrics import Counts
from resformer.train.evaluation.row_scores import strict_counts

__all__ = ["RowTrees"]

NUM_FOLDS = 5
CONTEXT = 8  # columns beside those by quantity
THRESHOLDS = [i / 40 for i in range(4, 36)]

Answers = dict[str, tuple[str, float]]
"""Canonical answer ("" for none) and score by entity."""


@dataclass(frozen=True)
class _Photo:
    """The C candidates of a photo, of all quantities one after the other.

    Attributes:
        table: (C, columns), see candidate_table.
        entities: (C,), positions in the schema's quantities.
        answers: canonical strings.
        texts: line and position in it of where each candidate stands.
    """

    table: np.ndarray
    entities: np.ndarray
    answers: list[str]
    texts: list[tuple[int, int]]


class RowTrees:
    """Two stages of boosted trees (LightGBM), which abstain below a threshold.

    The first stage scores each candidate alone. The second one also has the scores that the first one gives to the
    other candidates, and to the same text as an answer to other questions. Each stage has NUM_FOLDS models, which learn
    from all photos but a fold of their own: on that fold their scores are those of photos that are new to them. From
    such scores the second stage learns, and by them the threshold is chosen. New photos get the mean of the models.

    Attributes:
        threshold: of the scores, the one with the best strict F1 on training photos.
    """

    def __init__(self, records: Sequence[Record], preprocessor: Preprocessor):
        """Fits the trees.

        Args:
            records: whole rows.
            preprocessor: makes the features.
        """
        self._preprocessor = preprocessor
        self._quantities = preprocessor.schema.quantities
        photos = [self._photo(record) for record in records]
        labels = np.concatenate([self._labels(*pair) for pair in zip(records, photos, strict=True)])
        sizes = [len(photo.answers) for photo in photos]
        folds = np.repeat([zlib.crc32(record.name.encode()) % NUM_FOLDS for record in records], sizes)
        ends = np.cumsum(sizes)[:-1]
        table = np.concatenate([photo.table for photo in photos])
        self._first, scores = _cross_fit(table, labels, folds)
        context = [self._context(*pair) for pair in zip(photos, np.split(scores, ends), strict=True)]
        self._second, scores = _cross_fit(np.concatenate([table, np.concatenate(context)], axis=1), labels, folds)
        answers = [self._best(*pair) for pair in zip(photos, np.split(scores, ends), strict=True)]
        self.threshold = _best_threshold(records, answers)

    def answer(self, record: Record) -> Answers:
        """Answers to all quantities of the schema, whatever the record asks."""
        best = self.best(record)
        return {name: (text if score >= self.threshold else "", score) for name, (text, score) in best.items()}

    def best(self, record: Record) -> Answers:
        """The best answer to each quantity, however low its score."""
        photo = self._photo(record)
        if not photo.answers:
            return {entity.name: ("", 0.0) for entity in self._quantities}
        context = self._context(photo, _mean_score(self._first, photo.table))
        return self._best(photo, _mean_score(self._second, np.concatenate([photo.table, context], axis=1)))

    def _photo(self, record: Record) -> _Photo:
        sample = self._preprocessor.sample(record.page, self._quantities)
        names = [entity.name for entity in self._quantities]
        found = [candidate for candidates in sample.candidates for candidate in candidates]
        return _Photo(
            np.concatenate([candidate_table(sample, i, names) for i in range(len(names))]),
            sample.candidate_question,
            [str(candidate.quantity) for candidate in found],
            [(candidate.line, candidate.start) for candidate in found],
        )

    def _labels(self, record: Record, photo: _Photo) -> np.ndarray:
        """(C,): 1 where a candidate is right, 0 where it is wrong, -1 where its question is not asked."""
        accepted = {question.entity.name: question.accepted_texts for question in record.questions}
        of_entity = [accepted.get(entity.name) for entity in self._quantities]
        right = [of_entity[e] for e in photo.entities.tolist()]
        return np.array(
            [-1 if texts is None else int(a in texts) for a, texts in zip(photo.answers, right, strict=True)], dtype=int
        )

    def _by_entity(self, photo: _Photo, scores: np.ndarray) -> list[dict[str, float]]:
        """Scores of the answers to each quantity."""
        found = []
        for e in range(len(self._quantities)):
            rows = np.flatnonzero(photo.entities == e)
            found.append(answer_scores([photo.answers[i] for i in rows], scores[rows].tolist()))
        return found

    def _context(self, photo: _Photo, scores: np.ndarray) -> np.ndarray:
        """(C, CONTEXT + 2 x quantities), from the scores of the first stage.

        These are, for each candidate: the score of its answer, and how that compares with the other answers to its
        question; the scores of the same text as an answer to each quantity, and how its own compares; the best
        score of each quantity on the photo.
        """
        by_entity = self._by_entity(photo, scores)
        best = [max(found.values(), default=0.0) for found in by_entity]
        of_text: dict[tuple[int, int], np.ndarray] = {}
        for text, e, score in zip(photo.texts, photo.entities.tolist(), scores.tolist(), strict=True):
            row = of_text.setdefault(text, np.zeros(len(best)))
            row[e] = max(row[e], score)
        rows = []
        for answer, text, e in zip(photo.answers, photo.texts, photo.entities.tolist(), strict=True):
            own, others = by_entity[e][answer], [score for a, score in by_entity[e].items() if a != answer]
            rival, elsewhere = max(others, default=0.0), np.delete(of_text[text], e).max(initial=0.0)
            columns = [own, rival, own - rival, sum(others), len(others), elsewhere, of_text[text][e] - elsewhere]
            rows.append([*columns, *of_text[text], *best, sum(best)])
        return np.array(rows).reshape(-1, CONTEXT + 2 * len(best))

    def _best(self, photo: _Photo, scores: np.ndarray) -> Answers:
        """The best answer to each quantity; "" and 0 where there is no candidate."""
        return {
            entity.name: max(found.items(), key=lambda item: item[1], default=("", 0.0))
            for entity, found in zip(self._quantities, self._by_entity(photo, scores), strict=True)
        }


def _cross_fit(table: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> tuple[list[lightgbm.Booster], np.ndarray]:
    """A model for each fold, which learned from the others, and the scores (rows,) that they give to their folds."""
    models, scores = [], np.zeros(len(table))
    for fold in range(NUM_FOLDS):
        learned = (folds != fold) & (labels >= 0)
        models.append(lightgbm.train(SETTINGS, lightgbm.Dataset(table[learned], labels[learned]), ROUNDS))
        if (folds == fold).any():
            scores[folds == fold] = _mean_score(models[-1:], table[folds == fold])
    return models, scores


def _mean_score(models: Sequence[lightgbm.Booster], table: np.ndarray) -> np.ndarray:
    scores: np.ndarray = np.mean([np.asarray(model.predict(table)) for model in models], axis=0)
    return scores


def _best_threshold(records: Sequence[Record], answers: Sequence[Answers]) -> float:
    """The threshold with the best strict F1."""
    asked = [
        (question, *of_photo[question.entity.name])
        for record, of_photo in zip(records, answers, strict=True)
        for question in record.questions
    ]

    def f1(threshold: float) -> float:
        counts = [strict_counts(question, text if score >= threshold else "") for question, text, score in asked]
        return sum(counts, Counts()).f1

    return max(THRESHOLDS, key=f1)
