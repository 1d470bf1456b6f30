r"""Scores what people use instead on the same tables: words alone, and the text of the nearest photo.

    python -m train.evaluation.attribute_comparison \
        train/configs/products.yaml train/configs/products-val.yaml build/products

Adds baselines.json and baselines.md to the folder of `python -m train.evaluation.attribute_scores`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import SEPARATOR, parse_path
from resformer.train.attributes.labelled_products import cell_of
from resformer.train.config import ProductsConfig, ProductSource, load_config, load_product_sources
from resformer.train.data.catalogue_table import CatalogueRecord, read_catalogue
from resformer.train.evaluation.attribute_metrics import score_labels, score_texts
from resformer.train.evaluation.baselines.attribute_baselines import nearest_texts, words_alone

__all__ = ["main"]


def _read(source: ProductSource) -> list[CatalogueRecord]:
    return read_catalogue(source.table, source.photos, image=source.photo)


def _said(source: ProductSource, record: CatalogueRecord) -> str:
    """All text that came with a product."""
    return " ".join(record.values.get(column, "") for column in (source.title, source.description) if column)


def compare(known: ProductSource, asked: ProductSource, schema: Schema) -> dict[str, dict[str, Any]]:
    """Scores by entity. Paths are scored at their first two levels."""
    train, val = _read(known), _read(asked)
    scores: dict[str, dict[str, Any]] = {}
    for name, column in asked.answers.items():
        if known.answers.get(name, column) != column:
            continue  # taught in other words than it is asked in
        entity = schema[name]
        taught = [(r, cell) for r in train if (cell := cell_of(r.values, column))]
        rows = [(r, cell) for r in val if (cell := cell_of(r.values, column))]
        if entity.kind == "text":
            nearest = nearest_texts([r.photo for r, _ in taught], [t for _, t in taught], [r.photo for r, _ in rows])
            scores[f"{name}: text of the nearest photo"] = score_texts([text for _, text in rows], nearest)
            continue
        depths = (1, 2) if entity.kind == "path" and SEPARATOR in taught[0][1] else (0,)
        for depth in depths:
            cut = [_cut(cell, depth) for _, cell in taught]
            truths = [_cut(cell, depth) for _, cell in rows]
            answers = words_alone([_said(known, r) for r, _ in taught], cut, [_said(asked, r) for r, _ in rows])
            score = score_labels(truths, answers, [[answer] for answer in answers])
            level = f", first {depth}" if depth else ""
            scores[f"{name}{level}: words alone"] = {"accuracy": score.accuracy, "macro-F1": score.macro_f1}
    return scores


def _cut(cell: str, depth: int) -> str:
    return SEPARATOR.join(parse_path(cell)[:depth]) if depth else cell


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="of the training: its tables are what is known")
    parser.add_argument("sources", type=Path, help="YAML with the tables to answer, in the same order")
    parser.add_argument("out", type=Path)
    args = parser.parse_args(arguments)
    try:
        known, asked = load_config(args.config, ProductsConfig).sources, load_product_sources(args.sources)
        if len(known) != len(asked):
            raise ValueError(f"{args.config} has {len(known)} tables, {args.sources} has {len(asked)}")
        schema = Schema.load()
        scores = [compare(k, a, schema) for k, a in zip(known, asked, strict=True)]
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    merged = {name: row for one in scores for name, row in one.items()}
    lines = ["| entity: system | scores |", "|---|---|"]
    lines += [f"| {name} | {', '.join(f'{k} {v:.3f}' for k, v in row.items())} |" for name, row in merged.items()]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "baselines.json").write_text(json.dumps(merged, indent=2) + "\n", encoding="utf-8")
    (args.out / "baselines.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
