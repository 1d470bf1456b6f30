"""Predictions for labelled records."""

from resformer.model.images.loading import decode_photo
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.train.data.quantity_records import Record

__all__ = ["answer_record"]


def answer_record(predictor: Predictor, record: Record) -> dict[str, Prediction]:
    """Predictions by entity name for the questions of a record, from its own text lines, and its photo if it has one.

    Raises:
        OSError: the photo cannot be read.
        ResformerError: it cannot be decoded.
    """
    questions = {q.entity.name: q for q in record.questions}.values()
    result = predictor.predict_page(
        record.page,
        [q.entity for q in questions],
        image=None if record.photo is None else decode_photo(record.photo.read_bytes()),
        assume_present=record.assume_present,
        excluded_labels=[q.excluded_label for q in questions],
    )
    return result.predictions
