"""Scores of predicted choices, paths and texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resformer.model.prediction import Prediction
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import Node, parse_path
from resformer.train.evaluation.attribute_metrics import (
    LabelScore,
    fallback_right,
    hierarchical_win,
    score_labels,
    score_texts,
)
from resformer.train.evaluation.attribute_predictions import TOP_K, TablePredictions
from resformer.train.evaluation.plots import plot_confusion

__all__ = ["attribute_figures", "label_scores", "score_table", "write_label_details"]


def attribute_figures(tables: Sequence[TablePredictions], schema: Schema) -> dict[str, Any]:
    """The scores of every table, input and entity, as rows of a benchmark."""
    return {
        "scores": [
            {"table": table.table, "inputs": table.inputs, "entity": entity, "scores": scores}
            for table in tables
            for entity, scores in score_table(table, schema).items()
        ]
    }


def score_table(table: TablePredictions, schema: Schema) -> dict[str, dict[str, Any]]:
    """Scores of the entities of a table that have labels, each by the name of the metric."""
    by_entity: dict[str, dict[str, Any]] = {}
    for name in table.source.label_columns:
        pairs = table.labelled(name)
        if not pairs:
            continue
        entity = schema[name]
        labels, predictions = [label for label, _ in pairs], [prediction for _, prediction in pairs]
        if entity.kind == "text":
            by_entity[name] = {"rows": len(pairs), **score_texts(labels, [p.prediction for p in predictions])}
        elif entity.kind == "choice":
            score = label_scores(pairs)
            by_entity[name] = {
                "rows": score.rows,
                "accuracy": score.accuracy,
                "macro-F1": score.macro_f1,
                f"top {TOP_K}": score.top_k,
            }
        else:
            by_entity[name] = _path_scores(entity, labels, predictions)
    return by_entity


def label_scores(pairs: Sequence[tuple[str, Prediction]]) -> LabelScore:
    """The score of a choice from labels and predictions."""
    labels, predictions = [label for label, _ in pairs], [prediction for _, prediction in pairs]
    return score_labels(labels, [p.prediction for p in predictions], [_alternatives(p) for p in predictions])


def _alternatives(prediction: Prediction) -> list[str]:
    return [alternative.prediction for alternative in prediction.alternatives or []]


def _path_scores(entity: Entity, labels: Sequence[str], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Scores of a path.

    Levels are compared with the paths of the table; all else leaves out what lies below or beside the taxonomy.
    """
    taxonomy = entity.taxonomy
    paths = [taxonomy.leaf(label) or parse_path(label) for label in labels]
    truths = [taxonomy.nearest(path) or path for path in paths]
    predicted = [parse_path(prediction.prediction) for prediction in predictions]
    guesses = [[parse_path(text) for text in _alternatives(prediction)] for prediction in predictions]
    leaves = [guess[0] for guess in guesses]
    scores: dict[str, Any] = {"rows": len(predicted)}
    for depth in range(1, min(3, max(map(len, truths))) + 1):
        pairs = [(t[:depth], p[:depth]) for t, p in zip(paths, predicted, strict=True) if len(t) >= depth]
        scores[f"first {depth}"] = float(np.mean([truth == prediction for truth, prediction in pairs]))
    scores["leaf"] = float(np.mean([_is_below(leaf, t) for t, leaf in zip(truths, leaves, strict=True)]))
    wins = [hierarchical_win(t, p) for t, p in zip(truths, predicted, strict=True)]
    scores["hierarchical win"] = float(np.mean(wins))
    scores["with fallback"] = float(
        np.mean([_is_below(g[0], t) or fallback_right(t, g[0], g[1]) for t, g in zip(truths, guesses, strict=True)])
    )
    scores["stopped at a parent"] = float(
        np.mean([len(path) < len(leaf) for path, leaf in zip(predicted, leaves, strict=True)])
    )
    return scores


def _is_below(leaf: Node, node: Node) -> bool:
    """Whether a leaf is the node or lies below it."""
    return leaf[: len(node)] == node


def write_label_details(folder: Path, tables: Sequence[TablePredictions], schema: Schema) -> None:
    """Writes, for every choice, a table with a row per label (labels.md) and a confusion matrix (PNG).

    Args:
        folder: exists.
        tables: the predictions.
        schema: the entities.
    """
    lines = []
    for table in tables:
        for name in table.source.label_columns:
            pairs = table.labelled(name)
            if schema[name].kind != "choice" or not pairs:
                continue
            lines += [f"### {name}, {table.table}, {table.inputs}", ""]
            lines += ["| label | rows | recall | precision | F1 |", "|---|---|---|---|---|"]
            per_label = label_scores(pairs).per_label
            for label, (rows, recall, precision, f1) in sorted(per_label.items(), key=lambda item: -item[1][0]):
                lines.append(f"| {label} | {rows} | {recall:.3f} | {precision:.3f} | {f1:.3f} |")
            lines.append("")
            path = folder / f"confusion-{table.table}-{name}-{table.inputs.replace(' ', '-')}.png"
            plot_confusion(path, [(label, prediction.prediction) for label, prediction in pairs])
    (folder / "labels.md").write_text("\n".join(lines), encoding="utf-8")
