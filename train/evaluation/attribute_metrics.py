"""Metrics of labels, paths and texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from resformer.model.schema.taxonomy import Node

__all__ = [
    "LabelScore",
    "cider",
    "fallback_right",
    "hierarchical_win",
    "score_labels",
    "score_paths",
    "score_texts",
]


@dataclass(frozen=True)
class LabelScore:
    """Scores of a choice.

    Attributes:
        rows: number of rows.
        accuracy: fraction of the rows whose prediction is the label.
        macro_f1: mean F1 of the labels that occur.
        top_k: fraction of the rows whose label is among the k most probable ones.
        per_label: by true label: rows, recall, precision (nan where it is never predicted), F1.
    """

    rows: int
    accuracy: float
    macro_f1: float
    top_k: float
    per_label: dict[str, tuple[int, float, float, float]]


def score_labels(truths: Sequence[str], predictions: Sequence[str], top_k: Sequence[Sequence[str]]) -> LabelScore:
    """Scores labels; macro-F1 is over the labels that occur in the truths.

    Args:
        truths, predictions: one label a row.
        top_k: of each row, the most probable labels.
    """
    truth, predicted = np.array(truths), np.array(predictions)
    labels = sorted(set(truths))
    f1 = f1_score(truth, predicted, labels=labels, average=None, zero_division=0)
    per_label = {}
    for label, score in zip(labels, f1, strict=True):
        true_positives = int(((truth == label) & (predicted == label)).sum())
        positives, rows = int((predicted == label).sum()), int((truth == label).sum())
        precision = true_positives / positives if positives else float("nan")
        per_label[label] = (rows, true_positives / rows, precision, float(score))
    hits = [t in k for t, k in zip(truths, top_k, strict=True)]
    return LabelScore(
        len(truths), float((truth == predicted).mean()), float(np.mean(f1)), float(np.mean(hits)), per_label
    )


def score_paths(
    truths: Sequence[Node], predictions: Sequence[Node], guesses: Sequence[Sequence[Node]]
) -> dict[str, Any]:
    """Scores of paths: the first one and two levels, the leaf, hierarchical win, and with a fallback to the parent.

    Args:
        truths: a node of each row.
        predictions: of each row; may lie below the truth.
        guesses: of each row, the two most probable leaves, or one.
    """
    scores: dict[str, Any] = {"rows": len(truths)}
    for depth in (1, 2):
        pairs = [(t[:depth], p[:depth]) for t, p in zip(truths, predictions, strict=True) if len(t) >= depth]
        scores[f"first {depth}"] = float(np.mean([truth == prediction for truth, prediction in pairs]))
    # A leaf below the truth is right.
    is_right = [leaf[: len(t)] == t for t, (leaf, *_) in zip(truths, guesses, strict=True)]
    scores["leaf"] = float(np.mean(is_right))
    scores["hierarchical win"] = float(np.mean([hierarchical_win(*p) for p in zip(truths, predictions, strict=True)]))
    pairs_right = [fallback_right(t, found[0], found[-1]) for t, found in zip(truths, guesses, strict=True)]
    scores["with fallback"] = float(np.mean(np.logical_or(is_right, pairs_right)))
    return scores


def hierarchical_win(truth: Node, prediction: Node) -> float:
    """The win of one predicted node (Wu, Tygert and LeCun, arXiv 1709.01062).

    The right root wins 1/2, the right second level 1/4 more, and so on; the last level of the truth wins twice as much,
    so that the whole path wins 1.
    """
    win = 0.0
    for depth in range(1, len(truth) + 1):
        if prediction[:depth] != truth[:depth]:
            break
        win += 0.5**depth * (2 if depth == len(truth) else 1)
    return win


def fallback_right(truth: Node, first: Node, second: Node) -> bool:
    """Whether a prediction that may fall back to a parent is right.

    It is right where the first guess is, or where both guesses have one parent and the truth is that parent.
    """
    if first == truth:
        return True
    siblings = len(first) > 1 and first[:-1] == second[:-1]
    return siblings and truth[: len(first) - 1] == first[:-1]


def score_texts(truths: Sequence[str], predictions: Sequence[str]) -> dict[str, float]:
    """SacreBLEU (0 to 100, its default tokens) and CIDEr (0 to 10) of one text a row against one reference."""
    from sacrebleu.metrics import BLEU

    return {
        "SacreBLEU": BLEU().corpus_score(list(predictions), [list(truths)]).score,
        "CIDEr": cider(truths, predictions),
    }


def cider(truths: Sequence[str], predictions: Sequence[str]) -> float:
    """CIDEr (arXiv 1411.5726) by `pycocoevalcap`, over lower-case words without punctuation."""
    from pycocoevalcap.cider.cider import Cider
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    tokenise: Any = Tokenizer13a()

    def words(text: str) -> str:
        return " ".join(word for word in tokenise(text.lower()).split() if any(c.isalnum() for c in word))

    references = {i: [words(text)] for i, text in enumerate(truths)}
    hypotheses = {i: [words(text)] for i, text in enumerate(predictions)}
    score, _ = Cider().compute_score(references, hypotheses)
    return float(score)
