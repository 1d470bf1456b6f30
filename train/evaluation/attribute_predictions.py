"""Predictions of a network for the products of a catalogue table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.train.attributes.labelled_products import cell_of, check_columns
from resformer.train.data.catalogue_table import CatalogueRecord, read_catalogue
from resformer.train.settings.sources import ProductTable

__all__ = ["INPUTS", "TOP_K", "TablePredictions", "predict_table", "predict_tables"]

IMAGE, IMAGE_AND_TEXT = INPUTS = ("image", "image and text")
TOP_K = 5


@dataclass(frozen=True)
class TablePredictions:
    """Predictions for one table, with one kind of input.

    Attributes:
        source: the table.
        inputs: one of INPUTS.
        records: its products.
        predictions: of each product, by entity.
    """

    source: ProductTable
    inputs: str
    records: Sequence[CatalogueRecord]
    predictions: Sequence[dict[str, Prediction]]

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.source.table.stem

    def labelled(self, entity: str) -> list[tuple[str, Prediction]]:
        """The label of the table and the prediction, of each product that has a label."""
        column = self.source.label_columns[entity]
        return [
            (label, predictions[entity])
            for record, predictions in zip(self.records, self.predictions, strict=True)
            if (label := cell_of(record.values, column))
        ]


def predict_table(
    predictor: Predictor, source: ProductTable, inputs: str, limit: int | None = None
) -> TablePredictions:
    """Predictions along the path of a request.

    Args:
        predictor: of the checkpoint.
        source: the table, its photos and columns.
        inputs: one of INPUTS; the text is the table's title and description. A text is predicted without itself.
        limit: number of products, the first ones; None: all.
    """
    records = read_catalogue(source.table, source.photos, image_column=source.image_column)
    check_columns(source, records, [e for e in predictor.schema.entities if e.kind != "quantity"])
    records = records[:limit]
    with_text = inputs == IMAGE_AND_TEXT
    predictions = []
    for record in tqdm(records, desc=f"{source.table.stem}, {inputs}", disable=None):
        result = predictor.predict(
            record.photo.read_bytes(),
            list(source.label_columns),
            title=record.values.get(source.title_column, "") if with_text else "",
            description=record.values.get(source.description_column, "") if with_text else "",
            top_k=TOP_K,
        )
        predictions.append(result.predictions)
    return TablePredictions(source, inputs, records, predictions)


def predict_tables(
    sources: Sequence[ProductTable],
    *,
    weights: Path | None = None,
    schema: Path | None = None,
    limit: int | None = None,
) -> list[TablePredictions]:
    """Predictions for several tables from images and, where a table has text, from images and text.

    Args:
        sources: the tables.
        weights: checkpoint; None: the shipped one.
        schema: entities file of the checkpoint; None: the shipped one.
        limit: number of products of each table.
    """
    predictor = Predictor.load(weights, schema=schema, reader="builtin")
    return [
        predict_table(predictor, source, inputs, limit)
        for source in sources
        for inputs in INPUTS
        if inputs == IMAGE or source.title_column or source.description_column
    ]
