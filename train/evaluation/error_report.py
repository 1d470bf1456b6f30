"""Rows of a label file with what a network answers, and their report: an HTML page of the errors on their photos."""

from collections.abc import Sequence
from pathlib import Path

from resformer.model.files.whole_file import written_whole
from resformer.model.predictor import Predictor
from resformer.model.quantities.candidates import find_candidates
from resformer.train.data.quantity_records import read_ocr_cache
from resformer.train.evaluation.error_cases import ErrorCase
from resformer.train.evaluation.error_page import render_page
from resformer.train.evaluation.labelled_rows import LabelledRow, read_rows, with_photos
from resformer.train.evaluation.quantity_scores import predict_rows_from_ocr

__all__ = ["write_error_report"]


def write_error_report(
    path: Path, *, labels: Path, ocr: Path, photos: Path, weights: Path | None = None, schema: Path | None = None
) -> int:
    """Writes the report of a label file.

    Args:
        path: HTML file to write.
        labels: CSV, see read_rows.
        ocr: OCR cache of the photos.
        photos: folder.
        weights: checkpoint; None: the shipped one.
        schema: entities file of the checkpoint; None: the shipped one.

    Returns:
        Number of rows.
    """
    predictor = Predictor.load(weights, schema=schema, reader="builtin")
    rows = with_photos(read_rows(labels, predictor.schema), photos)
    cases = _cases(predictor, rows, ocr, photos)
    with written_whole(path) as file:
        file.write(render_page(cases, photos, source=labels.name))
    return len(cases)


def _cases(predictor: Predictor, rows: Sequence[LabelledRow], ocr: Path, photos: Path) -> list[ErrorCase]:
    records = read_ocr_cache(ocr)
    predictions = predict_rows_from_ocr(rows, predictor, ocr, photos)
    cases = []
    for row, prediction in zip(rows, predictions, strict=True):
        entity = predictor.schema[row.entity]
        candidates = find_candidates(records[row.photo].lines, entity.units, ranges=entity.ranges)
        cases.append(ErrorCase(row, prediction, candidates, records[row.photo]))
    return cases
