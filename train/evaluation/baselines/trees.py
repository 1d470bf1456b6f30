"""Gradient-boosted trees that choose one of the candidates."""

from collections.abc import Sequence

import lightgbm
import numpy as np

from resformer.model.inference.quantity_inputs import QuantityExample, QuantityPreprocessor
from resformer.model.schema.schema import Entity
from resformer.train.data.quantity_records import Record

__all__ = ["Trees"]

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

    def __init__(self, records: Sequence[Record], preprocessor: QuantityPreprocessor):
        """Fits the trees.

        Args:
            records: with labelled questions.
            preprocessor: makes the features.
        """
        self._names = preprocessor.schema.names
        tables, right = [], []
        for record in records:
            excluded_labels = [q.excluded_label for q in record.questions]
            example = preprocessor.example(
                record.page, [q.entity for q in record.questions], excluded_labels=excluded_labels
            )
            for i, question in enumerate(record.questions):
                if example.candidates[i]:
                    tables.append(self._table(example, i))
                    right += [c.quantity in question.accepted for c in example.candidates[i]]
        data = np.concatenate(tables)
        labels = np.array(right, dtype=int)
        self._ensembles = [
            lightgbm.train({**SETTINGS, "seed": seed}, lightgbm.Dataset(data, labels), ROUNDS)
            for seed in range(NUM_ENSEMBLES)
        ]

    def choose(self, example: QuantityExample, index: int) -> tuple[str, float]:
        """Answer and score of one question of an example; "" and 0 where there is no candidate.

        Candidates with one canonical form are one answer, which is wrong where all of them are.
        """
        if not example.candidates[index]:
            return "", 0.0
        table = self._table(example, index)
        scores = np.mean([np.asarray(ensemble.predict(table)) for ensemble in self._ensembles], axis=0)
        p_wrong: dict[str, float] = {}
        for candidate, score in zip(example.candidates[index], scores.tolist(), strict=True):
            text = str(candidate.quantity)
            p_wrong[text] = p_wrong.get(text, 1.0) * (1 - score)
        best = min(p_wrong, key=p_wrong.__getitem__)
        return best, 1 - p_wrong[best]

    def _table(self, example: QuantityExample, index: int) -> np.ndarray:
        entity: Entity = example.entities[index]
        geometry = np.array(example.candidate_boxes[index])
        entity_column = np.full((len(geometry), 1), self._names.index(entity.name))
        return np.concatenate([example.features[index], geometry, entity_column], axis=1)
