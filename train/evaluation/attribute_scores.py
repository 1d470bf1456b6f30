"""Scores choices, paths and texts of a network on catalogue tables.

    python -m train.evaluation.attribute_scores train/configs/products-val.yaml build/products

Every product is asked about as a request would: from its photo alone, and with the text that came with it. The folder
gets results.json, results.md with a table per entity, labels.md with a row per label, and confusion matrices as PNG.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import Node, parse_path
from resformer.train.attributes.labelled_products import cell_of
from resformer.train.config import ProductSource, load_product_sources
from resformer.train.data.catalogue_table import CatalogueRecord, read_catalogue
from resformer.train.evaluation.attribute_metrics import (
    LabelScore,
    fallback_right,
    hierarchical_win,
    score_labels,
    score_texts,
)
from resformer.train.evaluation.plots import plot_confusion

__all__ = ["Asked", "ask", "main"]

TOP = 5
WAYS = ("picture", "picture and text")


@dataclass
class Asked:
    """What was asked of one table's products in one way.

    Attributes:
        answers: of each product, by entity.
    """

    source: ProductSource
    way: str
    records: list[CatalogueRecord]
    answers: list[dict[str, Prediction]] = field(default_factory=list)


def ask(predictor: Predictor, source: ProductSource, way: str, most: int | None = None) -> Asked:
    """Answers for the products of a table, or the first of them. A text is asked for without itself."""
    asked = Asked(source, way, read_catalogue(source.table, source.photos, image=source.photo)[:most])
    entities = list(source.answers)
    with_text = way != WAYS[0]
    for record in tqdm(asked.records, desc=f"{source.table.stem}, {way}", disable=None):
        result = predictor.predict(
            record.photo.read_bytes(),
            entities,
            title=record.values.get(source.title, "") if with_text else "",
            description=record.values.get(source.description, "") if with_text else "",
            top_k=TOP,
        )
        asked.answers.append(result.predictions)
    return asked


def rows_of(asked: Asked, name: str) -> list[tuple[str, Prediction]]:
    """The catalogue's own value and the answer, of each product that has one."""
    return [
        (cell, answers[name])
        for record, answers in zip(asked.records, asked.answers, strict=True)
        if (cell := cell_of(record.values, asked.source.answers[name]))
    ]


def results(asked: Asked, schema: Schema) -> dict[str, dict[str, Any]]:
    """Scores by entity."""
    scores: dict[str, dict[str, Any]] = {}
    for name in asked.source.answers:
        rows = rows_of(asked, name)
        if not rows:
            continue
        entity = schema[name]
        truths, answers = [truth for truth, _ in rows], [answer for _, answer in rows]
        if entity.kind == "text":
            scores[name] = {"rows": len(rows), **score_texts(truths, [a.prediction for a in answers])}
        elif entity.kind == "choice":
            scores[name] = _label_scores(truths, answers)
        else:
            scores[name] = _path_scores(entity, truths, answers)
    return scores


def _label_scores(truths: Sequence[str], answers: Sequence[Prediction]) -> dict[str, Any]:
    score = score_labels(truths, [a.prediction for a in answers], [_likeliest(a) for a in answers])
    return {"rows": score.rows, "accuracy": score.accuracy, "macro-F1": score.macro_f1, f"top {TOP}": score.top_k}


def _likeliest(answer: Prediction) -> list[str]:
    return [alternative.prediction for alternative in answer.alternatives or []]


def _path_scores(entity: Entity, cells: Sequence[str], answers: Sequence[Prediction]) -> dict[str, Any]:
    """Against paths as they are in the table, level by level; else what lies below the taxonomy's leaves, or beside
    them, does not count."""
    tree = entity.taxonomy
    whole = [tree.leaf(cell) or parse_path(cell) for cell in cells]
    truths = [tree.nearest(path) or path for path in whole]
    told = [parse_path(answer.prediction) for answer in answers]
    guesses = [[parse_path(text) for text in _likeliest(answer)] for answer in answers]
    scores: dict[str, Any] = {"rows": len(told)}
    for depth in range(1, min(3, max(map(len, truths))) + 1):
        pairs = [(t[:depth], a[:depth]) for t, a in zip(whole, told, strict=True) if len(t) >= depth]
        scores[f"first {depth}"] = float(np.mean([truth == answer for truth, answer in pairs]))
    leaves = [guess[0] for guess in guesses]
    scores["leaf"] = float(np.mean([_met(t, leaf) for t, leaf in zip(truths, leaves, strict=True)]))
    pairs = list(zip(truths, told, strict=True))
    scores["hierarchical win"] = float(np.mean([hierarchical_win(t, a) for t, a in pairs]))
    scores["with fallback"] = float(
        np.mean([_met(t, g[0]) or fallback_right(t, g[0], g[1]) for t, g in zip(truths, guesses, strict=True)])
    )
    scores["stopped at a parent"] = float(
        np.mean([len(answer) < len(leaf) for answer, leaf in zip(told, leaves, strict=True)])
    )
    return scores


def _met(truth: Node, leaf: Node) -> bool:
    """Whether a leaf is what the truth names: a truth that is a parent is met by all its leaves."""
    return leaf[: len(truth)] == truth


def table(scores: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Markdown: a table for each entity, a row for each table and way of asking."""
    parts = []
    for name, ways in scores.items():
        columns = list(next(iter(ways.values())))
        parts += [f"### {name}", "", f"| asked with | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
        for way, row in ways.items():
            cells = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()]
            parts.append(f"| {way} | {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts)


def label_tables(asked: Asked, schema: Schema) -> str:
    """Markdown: for each choice, a row per label."""
    parts = []
    for name in asked.source.answers:
        rows = rows_of(asked, name)
        if schema[name].kind != "choice" or not rows:
            continue
        score: LabelScore = score_labels(
            [truth for truth, _ in rows], [a.prediction for _, a in rows], [_likeliest(a) for _, a in rows]
        )
        parts += [f"### {name}, {asked.way}", "", "| label | rows | recall | precision | F1 |", "|---|---|---|---|---|"]
        for label, (count, recall, precision, f1) in sorted(score.per_label.items(), key=lambda item: -item[1][0]):
            parts.append(f"| {label} | {count} | {recall:.3f} | {precision:.3f} | {f1:.3f} |")
        parts.append("")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, help="YAML with the tables, as the `sources` of a training config")
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path, help="default: the shipped small ones")
    parser.add_argument("--entities", type=Path, help="the schema that they were trained for, if not the shipped one")
    args = parser.parse_args(arguments)
    try:
        sources = load_product_sources(args.sources)
        predictor = Predictor.load(args.weights, schema=args.entities, reader="builtin")
        asked = [
            ask(predictor, source, way) for source in sources for way in WAYS if way == WAYS[0] or _has_text(source)
        ]
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    scores: dict[str, dict[str, dict[str, Any]]] = {}
    for one in asked:
        for name, row in results(one, predictor.schema).items():
            scores.setdefault(name, {})[f"{one.source.table.stem}, {one.way}"] = row
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "results.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
    (args.out / "results.md").write_text(table(scores), encoding="utf-8")
    (args.out / "labels.md").write_text(
        "\n".join(label_tables(one, predictor.schema) for one in asked), encoding="utf-8"
    )
    for one in asked:
        for name in one.source.answers:
            pairs = [(truth, answer.prediction) for truth, answer in rows_of(one, name)]
            if predictor.schema[name].kind == "choice" and pairs:
                plot_confusion(
                    pairs, args.out / f"confusion-{one.source.table.stem}-{name}-{one.way.replace(' ', '-')}.png"
                )
    print(table(scores))
    return 0


def _has_text(source: ProductSource) -> bool:
    return bool(source.title or source.description)


if __name__ == "__main__":
    sys.exit(main())
