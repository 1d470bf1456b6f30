"""Answers about drawn labels and titles, by kind: how amounts are printed, in which role, direction and script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from resformer.model.predictor import Predictor
from resformer.train.evaluation.label_cases import LabelCase, draw_case, load_cases

__all__ = ["TITLE", "benchmark_labels", "wrong_answers"]

TITLE = "title"
"""In place of a reader, where nothing is printed."""


def benchmark_labels(readers: Sequence[str], *, weights: Path | None = None) -> dict[str, Any]:
    """How many of the cases are answered right in all that is asked, by kind and reader, and what the others are.

    Raises:
        OSError: a font is missing.
        ResformerError: weights or a reader cannot be used.
    """
    predictor = Predictor.load(weights)
    kinds: list[dict[str, Any]] = []
    for kind, cases in tqdm(load_cases().items(), desc="labels", disable=None):
        for reader in (*readers, TITLE):
            asked = [case for case in cases if bool(case.title) == (reader == TITLE)]
            if not asked:
                continue
            wrong = {case.text: found for case in asked if (found := wrong_answers(predictor, case, reader))}
            kinds.append({"kind": kind, "reader": reader, "tried": len(asked), "wrong": wrong})
    return {"kinds": kinds}


def wrong_answers(predictor: Predictor, case: LabelCase, reader: str) -> dict[str, str]:
    """The answers to a case that are wrong, by entity. The reader does not matter for titles."""
    result = predictor.predict(
        draw_case(case), list(case.right), title=case.title, reader=None if reader == TITLE else reader
    )
    answers = {name: prediction.prediction for name, prediction in result.predictions.items()}
    return {name: answer for name, answer in answers.items() if not case.is_right(name, answer)}
