"""Whole rows: every entity is asked about every photo, with the settings of a request that names none."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.images.loading import load_photo
from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.ocr.page import Page
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema
from resformer.train.data.catalogue_table import read_catalogue
from resformer.train.data.product_labels import ProductLabels, read_product_labels
from resformer.train.data.quantity_records import Record, read_cached_photos
from resformer.train.evaluation.baselines.largest_lines import largest_lines
from resformer.train.evaluation.baselines.row_trees import RowTrees
from resformer.train.evaluation.product_scores import (
    FASHION_ENTITIES,
    PRODUCT_ENTITIES,
    answered,
    category_figures,
    mean_with_interval,
    product_figures,
    rightness,
    token_f1,
)
from resformer.train.evaluation.quantity_metrics import calibration_error
from resformer.train.evaluation.row_scores import RowScore, difference, is_right, score_photo_rows
from resformer.train.evaluation.steadiness import changed_by_copies
from resformer.train.evaluation.validation_sets import OCR_CACHES, read_row_records

__all__ = ["benchmark_rows"]

FASHION_PHOTOS = 200
COPIED_PHOTOS = 60

Predictions = Mapping[str, Prediction]


def benchmark_rows(
    data: Path, readers: Sequence[str], *, weights: Path | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Scores whole rows, from the photo on, beside boosted trees that learn from the training rows.

    Args:
        data: the folder of labelled photos that the model card describes.
        readers: each answers all photos.
        weights: checkpoint; None: the shipped one.
        limit: number of photos of each kind, the first by name; None: all, and FASHION_PHOTOS of the fashion set.

    Returns:
        `quantities`: of the trees and of each reader, see RowScore.as_dict, and of the readers `minus_trees`, the
        paired difference; `products`: of each reader, see product_figures, the same of categories from the picture
        and from the words alone, what it answers about fashion photos, and its calibration error by kind (none of
        weights that lack such an entity); `largest_lines`: token F1 of that baseline of titles; `threshold` of the
        trees.

    Raises:
        ValueError: a file of the data is missing or broken, or a reader does not fit the weights.
    """
    schema = Schema.load()
    records = read_row_records(data, "val", schema)[:limit]
    products = sorted(read_product_labels(data / "rows" / "products_val.csv", data), key=lambda p: p.name)[:limit]
    fashion = _fashion_photos(data / "fashion", min(limit or FASHION_PHOTOS, FASHION_PHOTOS))
    trees = RowTrees(
        read_row_records(data, "train", schema), Preprocessor(schema, Tokenizer(schema), LabelPriors.load())
    )
    theirs = score_photo_rows(records, [{name: text for name, (text, _) in trees.answer(r).items()} for r in records])
    figures: dict[str, Any] = {
        "quantities": [{"answers_by": "trees", **theirs.as_dict()}],
        "products": [],
        "largest_lines": _largest_lines(data, products),
        "threshold": trees.threshold,
    }
    for reader in readers:
        predictor = Predictor.load(weights, reader=reader, threads=2)
        names = dict.fromkeys([record.name for record in records] + [of_photo.name for of_photo in products])
        predictions = dict(zip(names, _predict(predictor, [data / name for name in names]), strict=True))
        of_rows = [predictions[record.name] for record in records]
        of_products = [predictions[of_photo.name] for of_photo in products]
        ours = _score(records, of_rows)
        figures["quantities"].append(
            {
                "answers_by": reader,
                **ours.as_dict(),
                "minus_trees": difference(ours, theirs),
                "changed_by_copies": changed_by_copies(predictor, [data / r.name for r in records[:COPIED_PHOTOS]]),
            }
        )
        if not {entity.name for entity in predictor.entities} >= PRODUCT_ENTITIES:
            continue
        guessed = ["category", "title"]
        guesses = _predict(predictor, [data / p.name for p in products], entities=guessed, min_confidence=0.0)
        figures["products"].append(
            {
                "reader": reader,
                **product_figures(products, of_products, guesses),
                "category_from": _category_by_input(predictor, data, products),
                "fashion": _fashion_figures(predictor.schema, _predict(predictor, fashion)),
                "calibration_error": _calibration_errors(predictor.schema, records, of_rows, products, of_products),
            }
        )
    return figures


def _fashion_photos(folder: Path, count: int) -> list[Path]:
    """Photos of the fashion set, drawn from a seed."""
    records = read_catalogue(folder / "styles_val.csv", folder / "val", image_column="id")
    drawn = np.random.default_rng(0).permutation(len(records))[:count]
    return [records[i].photo for i in sorted(drawn.tolist())]


def _predict(predictor: Predictor, photos: Sequence[Path], **options: Any) -> list[Predictions]:
    """Answers about each photo, with options of Predictor.predict."""
    predictions: list[Predictions] = []
    for photo in tqdm(photos, desc="photos", disable=None):
        try:
            predictions.append(predictor.predict(photo.read_bytes(), **options).predictions)
        except ResformerError as error:
            raise ValueError(f"{photo}: {error}") from error
    return predictions


def _score(records: Sequence[Record], predictions: Sequence[Predictions]) -> RowScore:
    return score_photo_rows(
        records, [{name: answer.prediction for name, answer in of_photo.items()} for of_photo in predictions]
    )


def _category_by_input(predictor: Predictor, data: Path, products: Sequence[ProductLabels]) -> dict[str, Any]:
    """Scores of the best guesses of categories from the picture alone, and from the words that are read on it."""
    category = predictor.schema["category"]
    found: dict[str, list[Prediction]] = {"picture": [], "words": []}
    for of_photo in tqdm(products, desc="categories", disable=None):
        image = load_photo(data / of_photo.name)
        height, width, _ = image.shape
        words = predictor.reader_for().read(image)
        for name, shown, lines in (("picture", image, ()), ("words", None, words)):
            page = Page(lines, width, height)
            result = predictor.predict_page(page, [category], image=shown, min_confidence=0.0)
            found[name].append(result.predictions["category"])
    return {name: category_figures(products, predictions) for name, predictions in found.items()}


def _fashion_figures(schema: Schema, predictions: Sequence[Predictions]) -> dict[str, Any]:
    """Fractions of fashion photos with an answer, by entity, and with any quantity."""
    quantities = [entity.name for entity in schema.quantities]
    groups = {**{name: (name,) for name in FASHION_ENTITIES}, "quantity": quantities}
    return {name: mean_with_interval(answered(predictions, names)) for name, names in groups.items()}


def _calibration_errors(
    schema: Schema,
    records: Sequence[Record],
    of_rows: Sequence[Predictions],
    products: Sequence[ProductLabels],
    of_products: Sequence[Predictions],
) -> dict[str, float]:
    """Expected calibration error of the answers with a label, by kind of entity."""
    judged: dict[str, list[tuple[float, float]]] = {}
    for record, predictions in zip(records, of_rows, strict=True):
        for question in record.questions:
            answer = predictions[question.entity.name]
            right = float(is_right(question, answer.prediction))
            judged.setdefault(question.entity.kind, []).append((answer.confidence, right))
    for labels, predictions in zip(products, of_products, strict=True):
        for name, how_right in rightness(labels, predictions).items():
            judged.setdefault(schema[name].kind, []).append((predictions[name].confidence, how_right))
    return {
        kind: calibration_error([confidence for confidence, _ in pairs], [right for _, right in pairs])
        for kind, pairs in judged.items()
    }


def _largest_lines(data: Path, products: Sequence[ProductLabels]) -> dict[str, Any]:
    """Token F1 of titles that are the largest text on the photo."""
    titled = [of_photo for of_photo in products if of_photo.title]
    photos = read_cached_photos([of_photo.name for of_photo in titled], [data / c for c in OCR_CACHES["val"]])
    return mean_with_interval(
        [token_f1(of_photo.title, largest_lines(p.page)) for of_photo, p in zip(titled, photos, strict=True)]
    )
