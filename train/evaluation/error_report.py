"""An HTML page of where answers go wrong, for whoever mends them next.

    python -m train.evaluation.error_report --labels labels.csv --words words.jsonl.gz --photos photos/ report.html

Counts by entity, unit of the truth, height of the print and number of candidates, and the wrong answers that the
network was surest of, each on its photo: what was answered in red, what would have been right in green.
"""

import argparse
import base64
import html
import io
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from resformer.model.images.loading import decode_photo
from resformer.model.ocr.boxes import Box
from resformer.model.prediction import Prediction
from resformer.model.predictor import Predictor
from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.quantity import Candidate
from resformer.train.data.quantity_records import Record, read_words
from resformer.train.evaluation.quantity_scores import Row, predict_rows_from_words, read_rows

__all__ = ["Case", "main", "outcome", "page"]

OUTCOMES = ("right", "rightly empty", "another chosen", "other unit", "no candidate", "not answered", "nothing shown")
PHOTO_SIDE = 420


@dataclass(frozen=True)
class Case:
    """One row with its answer and what it could be chosen from."""

    row: Row
    prediction: Prediction
    candidates: Sequence[Candidate]
    record: Record

    @property
    def right(self) -> list[Candidate]:
        """Candidates that are right."""
        return [c for c in self.candidates if str(c.quantity) in self.row.accepted]

    @property
    def text_height(self) -> float | None:
        """Height in pixels of the largest right print."""
        return max((c.text_height for c in self.right if c.box), default=None)


def outcome(case: Case) -> str:
    """One of OUTCOMES."""
    prediction, accepted = case.prediction.prediction, case.row.accepted
    if not accepted:
        return "nothing shown" if prediction else "rightly empty"
    if prediction in accepted:
        return "right"
    if not case.right:
        return "no candidate"
    if not prediction:
        return "not answered"
    amounts = [c.quantity.si_values[-1] for c in case.right]
    size = next(c.quantity.si_values[-1] for c in case.candidates if str(c.quantity) == prediction)
    return "other unit" if any(abs(size / amount - 1) < 0.03 for amount in amounts) else "another chosen"


def cases(predictor: Predictor, rows: Sequence[Row], words: Path, photos: Path) -> list[Case]:
    """Every row with its answer."""
    read = read_words(words)
    predictions = predict_rows_from_words(rows, predictor, words, photos)
    found = []
    for row, prediction in zip(rows, predictions, strict=True):
        entity = predictor.schema[row.entity]
        candidates = find_candidates(read[row.photo].lines, entity.units, ranges=entity.ranges)
        found.append(Case(row, prediction, candidates, read[row.photo]))
    return found


def _glyph_bin(case: Case) -> str:
    if case.text_height is None:
        return "no right print"
    edges = (8, 12, 16, 24, 40)
    below = next((edge for edge in edges if case.text_height < edge), None)
    return f"under {below} px" if below else "40 px and more"


def _count_bin(case: Case) -> str:
    count = len({str(c.quantity) for c in case.candidates})
    return str(count) if count < 4 else "4 to 7" if count < 8 else "8 and more"


GROUPS: dict[str, Callable[[Case], str]] = {
    "entity": lambda case: case.row.entity,
    "unit of the truth": lambda case: case.row.accepted[0].split()[-1] if case.row.accepted else "(not shown)",
    "height of the right print": _glyph_bin,
    "different candidates": _count_bin,
}


def page(all_cases: Sequence[Case], photos: Path, worst: int = 60) -> str:
    """The report as HTML."""
    parts = [
        "<!doctype html><meta charset=utf-8><title>Errors</title>",
        "<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}",
        "td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}td:first-child{text-align:left}",
        "figure{display:inline-block;vertical-align:top;margin:8px;width:420px}</style><h1>Errors</h1>",
    ]
    for title, key in GROUPS.items():
        parts.append(_table(title, key, all_cases))
    wrong = [c for c in all_cases if outcome(c) not in ("right", "rightly empty")]
    wrong.sort(key=lambda case: -case.prediction.confidence)
    parts.append(f"<h2>The {min(worst, len(wrong))} surest errors of {len(wrong)}</h2>")
    parts += [_figure(case, photos) for case in wrong[:worst]]
    return "\n".join(parts)


def _table(title: str, key: Callable[[Case], str], all_cases: Sequence[Case]) -> str:
    counts: dict[str, Counter[str]] = {}
    for case in all_cases:
        counts.setdefault(key(case), Counter())[outcome(case)] += 1
    head = "".join(f"<th>{name}</th>" for name in (title, "rows", *OUTCOMES))
    lines = [
        f"<tr><td>{html.escape(name)}</td><td>{c.total()}</td>"
        + "".join(f"<td>{c[o] or ''}</td>" for o in OUTCOMES)
        + "</tr>"
        for name, c in sorted(counts.items(), key=lambda item: -item[1].total())
    ]
    return f"<h2>By {title}</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _figure(case: Case, photos: Path) -> str:
    image = Image.fromarray(decode_photo((photos / case.row.photo).read_bytes()))
    draw = ImageDraw.Draw(image)
    width = max(2, max(image.size) // 200)
    for candidate in case.right:
        if candidate.box:
            draw.rectangle(_ordered(candidate.box), outline=(0, 160, 0), width=width)
    if case.prediction.evidence:
        x0, y0, x1, y1 = case.prediction.evidence
        draw.rectangle(_ordered((x0, y0, x1, y1)), outline=(220, 0, 0), width=width)
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    answer = case.prediction.prediction or "(empty)"
    truth = " | ".join(case.row.accepted) or "(not shown)"
    caption = f"{case.row.photo}, {case.row.entity}: {answer} ({case.prediction.confidence:.2f}), right: {truth}"
    text = f"<figcaption><b>{outcome(case)}</b> {html.escape(caption)}</figcaption>"
    return f"<figure><img src='data:image/jpeg;base64,{data}'>{text}</figure>"


def _ordered(box: Box) -> Box:
    return (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("report", type=Path, help="HTML file to write")
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True, help="JSON lines of words read before")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="default: the shipped small ones")
    args = parser.parse_args(arguments)
    try:
        predictor = Predictor.load(args.weights, reader="builtin")
        found = cases(predictor, read_rows(args.labels, predictor.schema), args.words, args.photos)
        args.report.write_text(page(found, args.photos), encoding="utf-8")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{args.report}: {len(found)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
