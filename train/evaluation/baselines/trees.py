"""Gradient-boosted trees that choose one of the candidates."""

from collections.abc import Sequence

import lightgbm
import numpy as np

from resformer.model.inference.inputs import Preprocessor, Sample
from resformer.train.data.quantity_records import Record

__all__ = ["ROUNDS", "SETTINGS", "Trees", "answer_scores", "candidate_table"]

ROUNDS = 350
NUM_ENSEMBLES = 3  # whose scores are averaged
SETTINGS = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.03,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,  # else LightGBM times two methods and takes the faster; the last digits then vary
}


class Trees:
    """Gradient-boosted trees (LightGBM); the candidate with the highest score is the answer.

    Their inputs are those that the network has for each candidate: features, box and entity.
    """

    def __init__(self, records: Sequence[Record], preprocessor: Preprocessor):
        """Fits the trees.

        Args:
            records: with labelled questions.
            preprocessor: makes the features.
        """
        self._names = preprocessor.schema.names
        tables, right = [], []
        for record in records:
            excluded_labels = [q.excluded_label for q in record.questions]
            sample = preprocessor.sample(
                record.page, [q.entity for q in record.questions], excluded_labels=excluded_labels
            )
            for i, question in enumerate(record.questions):
                if sample.candidates[i]:
                    tables.append(candidate_table(sample, i, self._names))
                    right += [c.quantity in question.accepted for c in sample.candidates[i]]
        data = np.concatenate(tables)
        labels = np.array(right, dtype=int)
        self._ensembles = [
            lightgbm.train({**SETTINGS, "seed": seed}, lightgbm.Dataset(data, labels), ROUNDS)
            for seed in range(NUM_ENSEMBLES)
        ]

    def choose(self, sample: Sample, index: int) -> tuple[str, float]:
        """Answer and score of one question of a sample; "" and 0 where there is no candidate."""
        if not sample.candidates[index]:
            return "", 0.0
        table = candidate_table(sample, index, self._names)
        scores = np.mean([np.asarray(ensemble.predict(table)) for ensemble in self._ensembles], axis=0)
        by_answer = answer_scores([str(candidate.quantity) for candidate in sample.candidates[index]], scores.tolist())
        best = max(by_answer, key=by_answer.__getitem__)
        return best, by_answer[best]


def candidate_table(sample: Sample, index: int, names: Sequence[str]) -> np.ndarray:
    """What the trees see of the candidates of one question: (candidates, columns).

    Args:
        names: of the entities, whose positions are the last column.
    """
    of_question = sample.candidate_question == index
    geometry = sample.candidate_boxes[of_question]
    entity_column = np.full((len(geometry), 1), names.index(sample.entities[index].name))
    return np.concatenate([sample.features[of_question], geometry, entity_column], axis=1)


def answer_scores(answers: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    """Scores by answer. Candidates with one canonical form are one answer, which is wrong where all of them are."""
    p_wrong: dict[str, float] = {}
    for answer, score in zip(answers, scores, strict=True):
        p_wrong[answer] = p_wrong.get(answer, 1.0) * (1 - score)
    return {answer: 1 - p for answer, p in p_wrong.items()}
