"""Predictions of a network for the products of catalogue tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Entity, Schema
from resformer.model.schema.taxonomy import SEPARATOR
from resformer.train.network.label_targets import EMPTY_TARGET
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.product_tables import read_product_table
from resformer.train.settings.sources import ProductTable

__all__ = [
    "INPUTS",
    "TOP_K",
    "TablePredictions",
    "predict_table",
    "predict_tables",
    "read_evaluation_table",
    "right_answer",
    "table_name",
]

IMAGE, IMAGE_AND_TEXT = INPUTS = ("image", "image and text")
TOP_K = 5


@dataclass(frozen=True)
class TablePredictions:
    """Predictions for one table, with one kind of input.

    Attributes:
        source: the table.
        inputs: one of INPUTS.
        products: its products.
        predictions: of each product, by entity; a text that was sent is not among them.
    """

    source: ProductTable
    inputs: str
    products: Sequence[LabelledPhoto]
    predictions: Sequence[dict[str, Prediction]]

    def labelled(self, entity: Entity) -> list[tuple[str, Prediction]]:
        """The right answer and the prediction, of each product that has such a label."""
        return [
            (answer, predictions[entity.name])
            for product, predictions in zip(self.products, self.predictions, strict=True)
            if entity.name in predictions and (answer := right_answer(product, entity))
        ]


def table_name(source: ProductTable) -> str:
    """The table's folder and name."""
    return f"{source.table.parent.name}/{source.table.stem}"


def right_answer(product: LabelledPhoto, entity: Entity) -> str:
    """The label, node or text that is right; "" where none is known or the entity does not apply."""
    if entity.kind == "text":
        return product.texts.get(entity.name, "")
    target = product.labels.get(entity.name, EMPTY_TARGET)
    if target == EMPTY_TARGET:
        return ""
    if entity.kind == "choice":
        return entity.labels[target - 1]
    tree = entity.taxonomy
    return SEPARATOR.join((*tree.nodes, *tree.leaves)[target - 1])


def read_evaluation_table(source: ProductTable, schema: Schema) -> list[LabelledPhoto]:
    """The products of a table, which may also have labels of choices that follow from a path."""
    return read_product_table(source, schema, {}, entities=[e for e in schema.entities if e.kind != "quantity"])


def predict_table(
    predictor: Predictor, source: ProductTable, inputs: str, limit: int | None = None
) -> TablePredictions:
    """Predictions along the path of a request: best guesses, however little confident.

    Args:
        predictor: of the checkpoint.
        source: the table, its photos and columns.
        inputs: one of INPUTS; the text is the table's title and description.
        limit: number of products, the first ones; None: all.
    """
    products = read_evaluation_table(source, predictor.schema)[:limit]
    predictions = []
    for product in tqdm(products, desc=f"{table_name(source)}, {inputs}", disable=None):
        assert product.photo is not None  # a table has a photo in each row
        fields = {"title": product.title, "description": product.description}
        sent = {name: text for name, text in fields.items() if text and inputs == IMAGE_AND_TEXT}
        asked = [name for name in source.label_columns if name not in sent]
        result = predictor.predict(
            product.photo.read_bytes(),
            asked,
            title=sent.get("title", ""),
            description=sent.get("description", ""),
            min_confidence=0.0,
            top_k=TOP_K,
        )
        predictions.append({name: result.predictions[name] for name in asked})
    return TablePredictions(source, inputs, products, predictions)


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
    predictor = Predictor.load(weights, schema=schema)
    return [
        predict_table(predictor, source, inputs, limit)
        for source in sources
        for inputs in INPUTS
        if inputs == IMAGE or source.title_column or source.description_column
    ]
