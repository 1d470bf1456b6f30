"""An HTML page of errors: counts, filters, and each photo with the boxes of its answers.

The box of a wrong answer is red, those of right candidates are green; an answer and its boxes light up together.
"""

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from resformer.model.images.loading import decode_photo
from resformer.model.ocr.boxes import Box
from resformer.train.evaluation.error_cases import ERRORS, OUTCOMES, ErrorCase, outcome

__all__ = ["render_page"]

TEMPLATE = Path(__file__).with_name("error_page.html")
PHOTO_SIDE = 480  # pixels of a photo on the page
MAX_PHOTOS = 300


def render_page(cases: Sequence[ErrorCase], photos: Path, *, source: str, max_photos: int = MAX_PHOTOS) -> str:
    """The page, which needs no other file.

    Args:
        cases: all rows, right ones too.
        photos: folder.
        source: what the rows are of, for the title.
        max_photos: photos that are shown, those with the most confident errors.

    Raises:
        OSError: a photo is missing.
        ResformerError: a photo cannot be decoded.
    """
    errors = sorted((c for c in cases if outcome(c) in ERRORS), key=lambda case: -case.prediction.confidence)
    by_photo: dict[str, list[ErrorCase]] = defaultdict(list)
    for case in errors:
        by_photo[case.row.photo].append(case)
    shown = dict(list(by_photo.items())[:max_photos])
    left_out = f" Of {len(by_photo)} photos the {max_photos} with the most confident errors are shown."
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        source=escape(source),
        summary=f"{len(errors)} of {len(cases)} answers are wrong."
        + (left_out if len(shown) < len(by_photo) else " A red box is that of a wrong answer, a green one of a right."),
        tables="".join(_count_table(title, key, cases) for title, key in GROUPS.items()),
        entities=_options(case.row.entity for case in errors),
        outcomes=_options(outcome(case) for case in errors),
        photos="\n".join(_article(name, found, photos) for name, found in shown.items()),
    )


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
        f"<tr><td>{escape(name)}</td><td>{c.total()}</td>"
        + "".join(f"<td>{c[o] or ''}</td>" for o in OUTCOMES)
        + "</tr>"
        for name, c in sorted(counts.items(), key=lambda item: -item[1].total())
    ]
    return f"<div class=wide><table><tr>{head}</tr>{''.join(lines)}</table></div>"


def _options(names: Iterable[str]) -> str:
    return "".join(
        f'<option value="{escape(name)}">{escape(name)} ({count})</option>'
        for name, count in Counter(names).most_common()
    )


def _article(name: str, cases: Sequence[ErrorCase], photos: Path) -> str:
    image = Image.fromarray(decode_photo((photos / name).read_bytes()))
    boxes = "".join(_boxes(case, i, image.size) for i, case in enumerate(cases))
    answers = "".join(_answer(case, i) for i, case in enumerate(cases))
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    picture = f'<img src="data:image/jpeg;base64,{data}" width="{image.width}" height="{image.height}" alt="">'
    name = escape(name)
    return f'<article id="{name}"><h3>{name}</h3><div class=photo>{picture}{boxes}</div>{answers}</article>'


def _boxes(case: ErrorCase, index: int, size: tuple[int, int]) -> str:
    right = [_box(c.box, "right", str(c.quantity), index, size) for c in case.right_candidates if c.box]
    evidence = case.prediction.evidence
    if evidence is None:
        return "".join(right)
    x0, y0, x1, y1 = evidence
    return "".join([*right, _box((x0, y0, x1, y1), "wrong", case.prediction.prediction, index, size)])


def _box(box: Box, kind: str, title: str, index: int, size: tuple[int, int]) -> str:
    (x0, x1), (y0, y1) = sorted((box[0], box[2])), sorted((box[1], box[3]))
    left, top, width, height = (
        f"{100 * part / side:.2f}%"
        for part, side in ((x0, size[0]), (y0, size[1]), (x1 - x0, size[0]), (y1 - y0, size[1]))
    )
    style = f"left:{left};top:{top};width:{width};height:{height}"
    return f'<div class="box {kind}" data-of="{index}" title="{escape(title)}" style="{style}"></div>'


def _answer(case: ErrorCase, index: int) -> str:
    confidence = case.prediction.confidence
    data = f'data-of="{index}" data-entity="{escape(case.row.entity)}" data-outcome="{outcome(case)}"'
    given = escape(case.prediction.prediction) or "(empty)"
    accepted = escape(" | ".join(case.row.accepted)) or "(not shown)"
    return (
        f'<div class=answer tabindex=0 {data} data-confidence="{confidence:.4f}">'
        f"<p>{escape(case.row.entity)}: <span class=given>{given}</span> ({confidence:.2f}, {outcome(case)}), "
        f"right: <span class=accepted>{accepted}</span></p></div>"
    )
