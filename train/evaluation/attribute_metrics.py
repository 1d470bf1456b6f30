"""Scores of labels, paths and texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from resformer.model.schema.taxonomy import Node

__all__ = ["LabelScore", "cider", "fallback_right", "hierarchical_win", "score_labels", "score_texts"]


@dataclass(frozen=True)
class LabelScore:
    """How well labels were chosen.

    Attributes:
        top_k: share of rows whose label is among the likeliest k.
        per_label: by label of the truth: rows, recall, precision (nan where it was never answered), F1.
    """

    rows: int
    accuracy: float
    macro_f1: float
    top_k: float
    per_label: dict[str, tuple[int, float, float, float]]


def score_labels(truths: Sequence[str], answers: Sequence[str], likeliest: Sequence[Sequence[str]]) -> LabelScore:
    """Scores labels. Macro-F1 is over the labels that occur in the truths.

    Args:
        likeliest: of each row, the labels that count for the top-k accuracy.
    """
    truth, answer = np.array(truths), np.array(answers)
    labels = sorted(set(truths))
    f1 = f1_score(truth, answer, labels=labels, average=None, zero_division=0)
    per_label = {}
    for label, score in zip(labels, f1, strict=True):
        right = int(((truth == label) & (answer == label)).sum())
        said = int((answer == label).sum())
        rows = int((truth == label).sum())
        per_label[label] = (rows, right / rows, right / said if said else float("nan"), float(score))
    among = [t in k for t, k in zip(truths, likeliest, strict=True)]
    return LabelScore(
        len(truths), float((truth == answer).mean()), float(np.mean(f1)), float(np.mean(among)), per_label
    )


def hierarchical_win(truth: Node, answer: Node) -> float:
    """What an answer wins: half for the right root, a quarter for the right second level, and so on, the leaf of the
    truth twice its level's share, so that the whole path wins 1 (Wu, Tygert and LeCun, arXiv 1709.01062, for an answer
    that is certain of one node)."""
    won = 0.0
    for depth in range(1, len(truth) + 1):
        if answer[:depth] != truth[:depth]:
            break
        won += 0.5**depth * (2 if depth == len(truth) else 1)
    return won


def fallback_right(truth: Node, first: Node, second: Node) -> bool:
    """Whether an answer that may fall back to a parent is right.

    It is the first guess, or, where the second one has the same parent, that parent: what both guesses agree on.
    """
    if first == truth:
        return True
    siblings = len(first) > 1 and first[:-1] == second[:-1]
    return siblings and truth[: len(first) - 1] == first[:-1]


def score_texts(truths: Sequence[str], answers: Sequence[str]) -> dict[str, float]:
    """SacreBLEU (0 to 100, with its own tokens) and CIDEr (0 to 10) of one text a row against one truth."""
    from sacrebleu.metrics import BLEU

    return {"SacreBLEU": BLEU().corpus_score(list(answers), [list(truths)]).score, "CIDEr": cider(truths, answers)}


def cider(truths: Sequence[str], answers: Sequence[str]) -> float:
    """CIDEr (arXiv 1411.5726) as `pycocoevalcap` computes it, over words in lower case without punctuation."""
    from pycocoevalcap.cider.cider import Cider
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    tokenise: Any = Tokenizer13a()

    def words(text: str) -> str:
        return " ".join(word for word in tokenise(text.lower()).split() if any(c.isalnum() for c in word))

    right = {i: [words(text)] for i, text in enumerate(truths)}
    told = {i: [words(text)] for i, text in enumerate(answers)}
    score, _ = Cider().compute_score(right, told)
    return float(score)
