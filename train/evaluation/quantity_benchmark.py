"""Accuracy and calibration of quantities on the validation sets, by reader."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.train.evaluation.labelled_rows import LabelledRow, of_first_photos, read_rows
from resformer.train.evaluation.plots import plot_precision_coverage
from resformer.train.evaluation.quantity_metrics import calibration_error, f1_interval, precision_at_coverage
from resformer.train.evaluation.quantity_scores import predict_rows, score_rows
from resformer.train.evaluation.validation_sets import validation_sets

__all__ = ["benchmark_quantities"]


def benchmark_quantities(
    data: Path,
    readers: Sequence[str],
    *,
    weights: Path | None = None,
    limit: int | None = None,
    curves: Path | None = None,
) -> dict[str, Any]:
    """Scores whole answers, from the photo on.

    Args:
        data: the folder of labelled photos that the model card describes.
        readers: each answers both validation sets.
        weights: checkpoint; None: the shipped one.
        limit: number of photos of each set, the first by name; None: all.
        curves: folder for a plot of precision against coverage of each reader.

    Returns:
        `sets`: scores by set and reader; `readers`: calibration of each reader over both sets.

    Raises:
        ValueError: a reader does not fit the weights, or the network answers nothing.
    """
    sets: list[dict[str, Any]] = []
    reader_rows: list[dict[str, Any]] = []
    for reader in readers:
        predictor = Predictor.load(weights, reader=reader, threads=2)
        answers: list[tuple[LabelledRow, Prediction]] = []
        for photos in validation_sets(data):
            rows = of_first_photos(read_rows(photos.labels, predictor.schema), limit)
            predictions = predict_rows(rows, predictor, photos.photos)
            sets.append({"photos": photos.name, "reader": reader, **_scores(rows, predictions)})
            answers += zip(rows, predictions, strict=True)
        reader_rows.append({"reader": reader, **_calibration(answers, reader, curves)})
    return {"sets": sets, "readers": reader_rows}


def _scores(rows: Sequence[LabelledRow], predictions: Sequence[Prediction]) -> dict[str, Any]:
    texts = [prediction.prediction for prediction in predictions]
    interval = f1_interval([(row.photo, text, row.accepted) for row, text in zip(rows, texts, strict=True)])
    return {"f1_interval": list(interval), **score_rows(rows, texts).as_dict()}


def _calibration(
    answers: Sequence[tuple[LabelledRow, Prediction]], reader: str, curves: Path | None
) -> dict[str, float]:
    right = [p.prediction in row.accepted if p.prediction else not row.accepted for row, p in answers]
    confidences = [prediction.confidence for _, prediction in answers]
    shown = [i for i, (_, prediction) in enumerate(answers) if prediction.prediction]
    if not shown:
        raise ValueError(f"with the reader {reader} the network answers nothing; check its weights")
    shown_confidences, shown_right = [confidences[i] for i in shown], [right[i] for i in shown]
    if curves is not None:
        plot_precision_coverage(curves / f"precision-coverage-{reader}.png", shown_confidences, shown_right)
    return {
        "calibration_error": calibration_error(confidences, right),
        "precision_at_half_coverage": precision_at_coverage(0.5, shown_confidences, shown_right),
    }
