"""An HTML page of wrong predictions.

It counts outcomes by entity, unit, text height and number of candidates, and shows the most confident errors on their
photos: the prediction's box in red, those of right candidates in green.
"""

import base64
import html
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from resformer.model.files.whole_file import written_whole
from resformer.model.images.loading import decode_photo
from resformer.model.ocr.boxes import Box
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.quantity import Candidate
from resformer.train.data.quantity_records import Record, read_ocr_cache
from resformer.train.evaluation.labelled_rows import LabelledRow, read_rows, with_photos
from resformer.train.evaluation.quantity_scores import predict_rows_from_ocr

__all__ = ["ErrorCase", "outcome", "render_report", "write_error_report"]

OUTCOMES = (
    "right",
    "rightly empty",
    "other candidate",
    "other unit",
    "no candidate",
    "empty",
    "not shown",
)
PHOTO_SIDE = 420  # pixels of a photo on the page
MAX_ERRORS = 60


@dataclass(frozen=True)
class ErrorCase:
    """One labelled row with its prediction.

    Attributes:
        row: question and accepted answers.
        prediction: the network's.
        candidates: what it could choose from.
        record: the photo's text lines.
    """

    row: LabelledRow
    prediction: Prediction
    candidates: Sequence[Candidate]
    record: Record

    @property
    def right_candidates(self) -> list[Candidate]:
        """The candidates that are accepted."""
        return [c for c in self.candidates if str(c.quantity) in self.row.accepted]

    @property
    def text_height(self) -> float | None:
        """Height in pixels of the largest right candidate; None without one."""
        return max((c.text_height for c in self.right_candidates if c.box), default=None)


def outcome(case: ErrorCase) -> str:
    """One of OUTCOMES."""
    prediction, accepted = case.prediction.prediction, case.row.accepted
    if not accepted:
        return "not shown" if prediction else "rightly empty"
    if prediction in accepted:
        return "right"
    if not case.right_candidates:
        return "no candidate"
    if not prediction:
        return "empty"
    amounts = [c.quantity.si_values[-1] for c in case.right_candidates]
    amount = next(c.quantity.si_values[-1] for c in case.candidates if str(c.quantity) == prediction)
    return "other unit" if any(abs(amount / right - 1) < 0.03 for right in amounts) else "other candidate"


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
        file.write(render_report(cases, photos))
    return len(cases)


def render_report(cases: Sequence[ErrorCase], photos: Path, max_errors: int = MAX_ERRORS) -> str:
    """The report as HTML.

    Args:
        cases: all rows, right ones too.
        photos: folder.
        max_errors: errors that are shown, the most confident ones.
    """
    parts = [
        "<!doctype html><meta charset=utf-8><title>Errors</title>",
        "<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}",
        "td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}td:first-child{text-align:left}",
        "figure{display:inline-block;vertical-align:top;margin:8px;width:420px}</style><h1>Errors</h1>",
    ]
    parts += [_count_table(title, key, cases) for title, key in GROUPS.items()]
    errors = [case for case in cases if outcome(case) not in ("right", "rightly empty")]
    errors.sort(key=lambda case: -case.prediction.confidence)
    parts.append(f"<h2>The {min(max_errors, len(errors))} most confident errors of {len(errors)}</h2>")
    parts += [_figure(case, photos) for case in errors[:max_errors]]
    return "\n".join(parts)


def _cases(predictor: Predictor, rows: Sequence[LabelledRow], ocr: Path, photos: Path) -> list[ErrorCase]:
    records = read_ocr_cache(ocr)
    predictions = predict_rows_from_ocr(rows, predictor, ocr, photos)
    cases = []
    for row, prediction in zip(rows, predictions, strict=True):
        entity = predictor.schema[row.entity]
        candidates = find_candidates(records[row.photo].lines, entity.units, ranges=entity.ranges)
        cases.append(ErrorCase(row, prediction, candidates, records[row.photo]))
    return cases


def _text_height_bin(case: ErrorCase) -> str:
    if case.text_height is None:
        return "no right candidate"
    upper = next((edge for edge in (8, 12, 16, 24, 40) if case.text_height < edge), None)
    return f"under {upper} px" if upper else "40 px and more"


def _candidate_count_bin(case: ErrorCase) -> str:
    count = len({str(c.quantity) for c in case.candidates})
    return str(count) if count < 4 else "4 to 7" if count < 8 else "8 and more"


GROUPS: dict[str, Callable[[ErrorCase], str]] = {
    "entity": lambda case: case.row.entity,
    "unit of the label": lambda case: case.row.accepted[0].split()[-1] if case.row.accepted else "(not shown)",
    "text height of the right candidate": _text_height_bin,
    "different candidates": _candidate_count_bin,
}


def _count_table(title: str, key: Callable[[ErrorCase], str], cases: Sequence[ErrorCase]) -> str:
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        counts.setdefault(key(case), Counter())[outcome(case)] += 1
    head = "".join(f"<th>{name}</th>" for name in (title, "rows", *OUTCOMES))
    lines = [
        f"<tr><td>{html.escape(name)}</td><td>{c.total()}</td>"
        + "".join(f"<td>{c[o] or ''}</td>" for o in OUTCOMES)
        + "</tr>"
        for name, c in sorted(counts.items(), key=lambda item: -item[1].total())
    ]
    return f"<h2>By {title}</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _figure(case: ErrorCase, photos: Path) -> str:
    image = Image.fromarray(decode_photo((photos / case.row.photo).read_bytes()))
    draw = ImageDraw.Draw(image)
    width = max(2, max(image.size) // 200)
    for candidate in case.right_candidates:
        if candidate.box:
            draw.rectangle(_ordered(candidate.box), outline=(0, 160, 0), width=width)
    if case.prediction.evidence:
        x0, y0, x1, y1 = case.prediction.evidence
        draw.rectangle(_ordered((x0, y0, x1, y1)), outline=(220, 0, 0), width=width)
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    prediction = case.prediction.prediction or "(empty)"
    label = " | ".join(case.row.accepted) or "(not shown)"
    caption = f"{case.row.photo}, {case.row.entity}: {prediction} ({case.prediction.confidence:.2f}), right: {label}"
    text = f"<figcaption><b>{outcome(case)}</b> {html.escape(caption)}</figcaption>"
    return f"<figure><img src='data:image/jpeg;base64,{data}'>{text}</figure>"


def _ordered(box: Box) -> Box:
    return (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))
