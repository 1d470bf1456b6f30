"""Quantities predicted for labelled photos, and their scores."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from resformer.model.errors import ResformerError
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema
from resformer.train.data.quantity_records import Question, read_ocr_cache, with_drawing
from resformer.train.evaluation.labelled_rows import (
    LabelledRow,
    group_by_photo,
    read_predictions,
    read_rows,
    with_photos,
)
from resformer.train.evaluation.quantity_metrics import Score, score
from resformer.train.evaluation.record_answers import answer_record

__all__ = [
    "predict_rows",
    "predict_rows_from_ocr",
    "score_label_file",
    "score_rows",
]


def predict_rows(rows: Sequence[LabelledRow], predictor: Predictor, photos: Path) -> list[Prediction]:
    """Predictions with the text that the predictor's reader finds; each photo is read once.

    The products are presumed to have the values, as their labels name them.

    Args:
        photos: folder of the photos.

    Raises:
        ValueError: a photo is missing or cannot be decoded.
    """
    rows = with_photos(rows, photos)
    answers = {}
    for name, of_photo in tqdm(group_by_photo(rows).items(), desc="photos", disable=None):
        entities = [row.entity for row in of_photo]
        try:
            result = predictor.predict(
                (photos / name).read_bytes(), entities, group_id=of_photo[0].group_id, assume_present=True
            )
        except ResformerError as error:
            raise ValueError(f"{photos / name}: {error}") from error
        answers[name] = result.predictions
    return [answers[row.photo][row.entity] for row in rows]


def predict_rows_from_ocr(
    rows: Sequence[LabelledRow], predictor: Predictor, ocr: Path, photos: Path | None = None
) -> list[Prediction]:
    """Predictions from an OCR cache.

    Args:
        ocr: JSON lines of the text on the photos.
        photos: folder of the photos; None: predict from text alone.

    Raises:
        ValueError: the cache or the folder lacks a photo.
    """
    if photos is not None:
        rows = with_photos(rows, photos)
    records = read_ocr_cache(ocr)
    answers = {}
    for name, of_photo in tqdm(group_by_photo(rows).items(), desc="photos", disable=None):
        if name not in records:
            raise ValueError(f"{ocr} lacks {name}; make the cache again from the folder of the labelled photos")
        questions = tuple(Question(predictor.schema[row.entity], ()) for row in of_photo)
        any_length = any(question.entity.is_length for question in questions)
        record = records[name]
        if photos is not None:
            record = with_drawing(record, photos / name, wanted=any_length)
        answers[name] = answer_record(predictor, replace(record, questions=questions, group_id=of_photo[0].group_id))
    return [answers[row.photo][row.entity] for row in rows]


def score_rows(rows: Sequence[LabelledRow], predictions: Sequence[str]) -> Score:
    """The score of canonical predictions, in the order of the rows."""
    return score((row.entity, p, row.accepted) for row, p in zip(rows, predictions, strict=True))


def score_label_file(
    labels: Path,
    *,
    photos: Path | None = None,
    ocr: Path | None = None,
    predictions: Path | None = None,
    weights: Path | None = None,
    schema: Path | None = None,
    reader: str,
) -> Score:
    """The score on one label file.

    Args:
        labels: CSV, see read_rows.
        photos: folder of the labelled photos.
        ocr: an OCR cache to predict from, with the pictures of `photos` if these are given.
        predictions: CSV (index, prediction) to score as it is, without a network.
        weights: checkpoint; None: the shipped one.
        schema: entities file of the checkpoint; None: the shipped one.
        reader: finds and recognises the text on `photos`; unused with `ocr` or `predictions`.

    Raises:
        ValueError: neither `photos`, `ocr` nor `predictions` is given, or a file cannot be used.
    """
    if predictions is not None:
        entities = Schema.load(schema) if schema else Schema.load()
        rows = read_rows(labels, entities)
        return score_rows(rows, read_predictions(predictions, labels, entities))
    if ocr is None and photos is None:
        raise ValueError("name the photos, an OCR cache or predictions to score")
    predictor = Predictor.load(weights, schema=schema, reader=reader if ocr is None else "builtin")
    rows = read_rows(labels, predictor.schema)
    if ocr is not None:
        answers = predict_rows_from_ocr(rows, predictor, ocr, photos)
    else:
        assert photos is not None
        answers = predict_rows(rows, predictor, photos)
    return score_rows(rows, [answer.prediction for answer in answers])
