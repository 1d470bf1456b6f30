"""Localisation: whether the boxes of answers lie where another reader finds the same quantity."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from resformer.model.ocr.boxes import Box
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.quantities.candidates import find_candidates
from resformer.model.schema.schema import Entity
from resformer.train.data.quantity_records import read_ocr_cache
from resformer.train.evaluation.labelled_rows import of_first_photos, read_rows
from resformer.train.evaluation.quantity_scores import predict_rows
from resformer.train.evaluation.validation_sets import validation_sets

__all__ = ["benchmark_localisation", "is_localised", "localisation_accuracy"]


def is_localised(prediction: Prediction, entity: Entity, lines: Sequence[TextLine]) -> bool | None:
    """Whether the box of an answer and that of the same quantity among `lines` contain each other's centre.

    None where there is nothing to compare: no answer, an answer without a box, or `lines` lack the quantity.
    """
    if not prediction.prediction or prediction.evidence is None:
        return None
    candidates = find_candidates(lines, entity.units, ranges=entity.ranges)
    boxes = [c.box for c in candidates if c.box and str(c.quantity) == prediction.prediction]
    x0, y0, x1, y1 = prediction.evidence
    box = (x0, y0, x1, y1)
    return any(_contains_centre(box, other) or _contains_centre(other, box) for other in boxes) if boxes else None


def localisation_accuracy(
    answers: Iterable[tuple[str, Entity, Prediction]], lines: Mapping[str, Sequence[TextLine]]
) -> tuple[float, int]:
    """Fraction of the comparable answers whose box is right, and how many are comparable.

    Args:
        answers: photo, entity and prediction.
        lines: by photo, the text lines of another reader, in pixels of the same photo.

    Raises:
        ValueError: no answer is comparable.
    """
    localised = [is_localised(prediction, entity, lines[photo]) for photo, entity, prediction in answers]
    comparable = [value for value in localised if value is not None]
    if not comparable:
        raise ValueError("no answer has a box and is among the other reader's text lines")
    return sum(comparable) / len(comparable), len(comparable)


def benchmark_localisation(
    data: Path, reader: str, *, weights: Path | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Localisation accuracy on the validation sets, against the OCR caches that came with them.

    Args:
        data: the folder of labelled photos that the model card describes.
        reader: of the whole answers.
        weights: checkpoint; None: the shipped one.
        limit: number of photos of each set, the first by name; None: all.
    """
    predictor = Predictor.load(weights, reader=reader, threads=2)
    sets = []
    for photos in validation_sets(data):
        lines = {name: record.lines for name, record in read_ocr_cache(photos.ocr).items()}
        rows = of_first_photos(read_rows(photos.labels, predictor.schema), limit)
        predictions = predict_rows(rows, predictor, photos.photos)
        answers = [(r.photo, predictor.schema[r.entity], p) for r, p in zip(rows, predictions, strict=True)]
        accuracy, compared = localisation_accuracy(answers, lines)
        sets.append({"photos": photos.name, "reader": reader, "accuracy": accuracy, "compared_answers": compared})
    return {"sets": sets}


def _contains_centre(outer: Box, inner: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]
