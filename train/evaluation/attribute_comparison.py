"""Scores of what is used instead of the attribute network: text alone, and the text of the nearest photo."""

from collections.abc import Sequence
from typing import Any

from resformer.model.schema.schema import Schema
from resformer.model.schema.taxonomy import SEPARATOR, parse_path
from resformer.train.attributes.labelled_products import cell_of, check_columns
from resformer.train.data.catalogue_table import CatalogueRecord, read_catalogue
from resformer.train.evaluation.attribute_metrics import score_labels, score_texts
from resformer.train.evaluation.baselines.attribute_baselines import classify_texts, nearest_texts
from resformer.train.settings.sources import ProductTable

__all__ = ["benchmark_attribute_baselines"]

TEXT_CLASSIFIER = "text alone"
NEAREST_PHOTO = "text of the nearest photo"


def benchmark_attribute_baselines(
    train: Sequence[ProductTable], val: Sequence[ProductTable], schema: Schema
) -> dict[str, Any]:
    """Scores of the baselines by entity; paths are scored at their first two levels.

    Args:
        train: tables that the baselines learn from.
        val: tables to predict, in the same order.
        schema: the entities.

    Raises:
        ValueError: the tables are not as many.
    """
    if len(train) != len(val):
        raise ValueError(f"{len(train)} tables to learn from and {len(val)} to predict; give one for each other")
    return {
        "scores": [row for known, queries in zip(train, val, strict=True) for row in _scores(known, queries, schema)]
    }


def _scores(train: ProductTable, val: ProductTable, schema: Schema) -> list[dict[str, Any]]:
    known, queries = _read(train, schema), _read(val, schema)
    rows: list[dict[str, Any]] = []
    for name, column in val.label_columns.items():
        if train.label_columns.get(name, column) != column:
            continue  # its labels in training are others
        entity = schema[name]
        labelled = [(record, label) for record in known if (label := cell_of(record.values, column))]
        questions = [(record, label) for record in queries if (label := cell_of(record.values, column))]
        if entity.kind == "text":
            nearest = nearest_texts(
                [record.photo for record, _ in labelled],
                [text for _, text in labelled],
                [record.photo for record, _ in questions],
            )
            texts = score_texts([text for _, text in questions], nearest)
            rows.append({"entity": name, "system": NEAREST_PHOTO, "scores": texts})
            continue
        depths = (1, 2) if entity.kind == "path" and SEPARATOR in labelled[0][1] else (0,)
        for depth in depths:
            truths = [_first_levels(label, depth) for _, label in questions]
            predictions = classify_texts(
                [_text(train, record) for record, _ in labelled],
                [_first_levels(label, depth) for _, label in labelled],
                [_text(val, record) for record, _ in questions],
            )
            score = score_labels(truths, predictions, [[prediction] for prediction in predictions])
            scores = {"accuracy": score.accuracy, "macro-F1": score.macro_f1}
            levels = f", first {depth}" if depth else ""
            rows.append({"entity": f"{name}{levels}", "system": TEXT_CLASSIFIER, "scores": scores})
    return rows


def _read(source: ProductTable, schema: Schema) -> list[CatalogueRecord]:
    records = read_catalogue(source.table, source.photos, image_column=source.image_column)
    check_columns(source, records, [e for e in schema.entities if e.kind != "quantity"])
    return records


def _text(source: ProductTable, record: CatalogueRecord) -> str:
    """Title and description of a product."""
    return " ".join(
        record.values.get(column, "") for column in (source.title_column, source.description_column) if column
    )


def _first_levels(label: str, depth: int) -> str:
    return SEPARATOR.join(parse_path(label)[:depth]) if depth else label
