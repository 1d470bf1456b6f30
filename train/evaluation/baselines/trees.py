"""What a careful team does: boosted trees choose among the quantities that the expressions found."""

from collections.abc import Sequence

import lightgbm
import numpy as np

from resformer.model.inference.quantity_inputs import QuantityExample, QuantityPreprocessor
from resformer.model.schema.schema import Entity
from resformer.train.data.quantity_records import Record

__all__ = ["Trees"]

ROUNDS = 350
SEEDS = 3  # ensembles whose scores are averaged
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
    "force_row_wise": True,  # else a race of two ways of counting decides, and with it the last digits
}


class Trees:
    """Gradient-boosted trees (LightGBM) over the very numbers that the network gets for each candidate: its features,
    its box and the entity asked. The candidate with the highest score is the answer."""

    def __init__(self, records: Sequence[Record], preprocessor: QuantityPreprocessor):
        """Trains on the records' questions."""
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
            lightgbm.train({**SETTINGS, "seed": seed}, lightgbm.Dataset(data, labels), ROUNDS) for seed in range(SEEDS)
        ]

    def choose(self, example: QuantityExample, number: int) -> tuple[str, float]:
        """Answer and score for one question of an example; empty with zero where there is no candidate.

        Candidates with one string are one answer: it is wrong where all of them are.
        """
        if not example.candidates[number]:
            return "", 0.0
        table = self._table(example, number)
        scores = np.mean([np.asarray(ensemble.predict(table)) for ensemble in self._ensembles], axis=0)
        wrong: dict[str, float] = {}
        for candidate, score in zip(example.candidates[number], scores.tolist(), strict=True):
            string = str(candidate.quantity)
            wrong[string] = wrong.get(string, 1.0) * (1 - score)
        best = min(wrong, key=wrong.__getitem__)
        return best, 1 - wrong[best]

    def _table(self, example: QuantityExample, number: int) -> np.ndarray:
        entity: Entity = example.entities[number]
        geometry = np.array(example.candidate_boxes[number])
        asked = np.full((len(geometry), 1), self._names.index(entity.name))
        return np.concatenate([example.features[number], geometry, asked], axis=1)
