"""Scores of predicted choices, paths and texts."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resformer.model.files.whole_file import written_whole
from resformer.model.prediction import Prediction
from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import parse_path
from resformer.train.evaluation.attribute_metrics import LabelScore, score_labels, score_paths, score_texts
from resformer.train.evaluation.attribute_predictions import TOP_K, TablePredictions, table_name
from resformer.train.evaluation.plots import plot_confusion

__all__ = ["attribute_figures", "label_scores", "score_table", "write_label_details"]


def attribute_figures(tables: Sequence[TablePredictions], schema: Schema) -> dict[str, Any]:
    """The scores of every table, input and entity, as rows of a benchmark."""
    return {
        "scores": [
            {"table": table_name(table.source), "inputs": table.inputs, "entity": entity, "scores": scores}
            for table in tables
            for entity, scores in score_table(table, schema).items()
        ]
    }


def score_table(table: TablePredictions, schema: Schema) -> dict[str, dict[str, Any]]:
    """Scores of the entities of a table that have labels, each by the name of the metric; and the mean of choices."""
    by_entity: dict[str, dict[str, Any]] = {}
    for name in table.source.label_columns:
        entity = schema[name]
        pairs = table.labelled(entity)
        if not pairs:
            continue
        if entity.kind == "text":
            texts = score_texts([label for label, _ in pairs], [prediction.prediction for _, prediction in pairs])
            by_entity[name] = {"rows": len(pairs), **texts}
        elif entity.kind == "choice":
            score = label_scores(pairs)
            by_entity[name] = {
                "rows": score.rows,
                "accuracy": score.accuracy,
                "macro-F1": score.macro_f1,
                f"top {TOP_K}": score.top_k,
            }
        else:
            by_entity[name] = _path_scores(pairs)
    accuracies = [scores["accuracy"] for scores in by_entity.values() if "accuracy" in scores]
    if len(accuracies) > 1:
        by_entity[f"mean of {len(accuracies)}"] = {"accuracy": float(np.mean(accuracies))}
    return by_entity


def label_scores(pairs: Sequence[tuple[str, Prediction]]) -> LabelScore:
    """The score of a choice from labels and predictions."""
    labels, predictions = [label for label, _ in pairs], [prediction for _, prediction in pairs]
    return score_labels(labels, [p.prediction for p in predictions], [_alternatives(p) for p in predictions])


def _alternatives(prediction: Prediction) -> list[str]:
    """The most probable answers, the empty one left out."""
    return [alternative.prediction for alternative in prediction.alternatives or [] if alternative.prediction]


def _path_scores(pairs: Sequence[tuple[str, Prediction]]) -> dict[str, Any]:
    return score_paths(
        [parse_path(label) for label, _ in pairs],
        [parse_path(prediction.prediction) for _, prediction in pairs],
        [[parse_path(text) for text in _alternatives(prediction)[:2]] for _, prediction in pairs],
    )


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
            pairs = table.labelled(schema[name])
            if schema[name].kind != "choice" or not pairs:
                continue
            title = f"{name}, {table_name(table.source)}, {table.inputs}"
            lines += [f"### {title}", ""]
            lines += ["| label | rows | recall | precision | F1 |", "|---|---|---|---|---|"]
            per_label = label_scores(pairs).per_label
            for label, (rows, recall, precision, f1) in sorted(per_label.items(), key=lambda item: -item[1][0]):
                lines.append(f"| {label} | {rows} | {recall:.3f} | {precision:.3f} | {f1:.3f} |")
            lines.append("")
            path = folder / f"confusion-{re.sub('[ ,/]+', '-', title)}.png"
            plot_confusion(path, [(label, prediction.prediction) for label, prediction in pairs])
    with written_whole(folder / "labels.md") as file:
        file.write("\n".join(lines))
