"""The results of a scored table as the page shows them."""

import csv
import json
from collections.abc import Callable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from resformer.model.files.photo_names import PhotoFolder
from resformer.scripts.lib.photo_cache import PhotoCache
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.page.photo_file import picture_uri
from resformer.scripts.page.row_view import entity_label

__all__ = ["MAX_ROWS", "results_view", "thumbnail"]

MAX_ROWS = 500
"""Rows that the page shows; the files to download have all."""
THUMBNAIL = 96
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_THUMBNAIL_PIXELS = 50_000_000


def results_view(options: ScoreOptions) -> dict[str, Any]:
    """The rows of a finished run.

    Args:
        options: With which the run was made, with `details`.

    Returns:
        columns: name and label of each entity, or one column `answer` where each row asks about its own. rows: index,
        image, thumbnail, asked (the entity of such a row, else ""), answers by column, and error.
    """
    # The page writes files of this machine.
    assert isinstance(options.details, Path) and isinstance(options.errors, Path)
    errors = _errors(options.errors)
    photo = _photo_finder(options)
    rows = list(islice(_rows(options.details, by_question=not options.entities), MAX_ROWS))
    for row in rows:
        row["thumbnail"] = thumbnail(photo(row["image"]))
        row["error"] = errors.get(row["index"], "").replace(f"{options.photos}/", "")
    columns = [{"name": name, "label": entity_label(name)} for name in options.entities]
    return {"columns": columns or [{"name": "answer", "label": "answer"}], "rows": rows}


def thumbnail(photo: Path | None) -> str:
    """A small picture of an image file as a data URI; "" where there is none."""
    if photo is None:
        return ""
    try:
        with Image.open(photo, formats=FORMATS) as image:
            if image.width * image.height > MAX_THUMBNAIL_PIXELS:
                return ""
            image.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
            return picture_uri(ImageOps.exif_transpose(image), THUMBNAIL)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # the row's error says what is wrong
        return ""


def _rows(details: Path, *, by_question: bool) -> Iterator[dict[str, Any]]:
    with open(details, encoding="utf-8") as file:
        answers = map(json.loads, file)
        for (index, image), group in groupby(answers, lambda answer: (answer["index"], answer["image"])):
            found = {answer["entity_name"]: _shown(answer) for answer in group}
            if by_question:
                ((asked, answer),) = found.items()
                yield {"index": index, "image": image, "asked": asked, "answers": {"answer": answer}}
            else:
                yield {"index": index, "image": image, "asked": "", "answers": found}


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer; `amount` is what a quantity is sorted by."""
    amount = answer["si"]["value"] if answer["si"] else None
    return {
        "prediction": answer["prediction"],
        "amount": amount[0] if isinstance(amount, list) else amount,
        "confidence": answer["confidence"],
    }


def _errors(path: Path) -> dict[str, str]:
    """The error of each row that has one, by index."""
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        return {row["index"]: row["error"] for row in csv.DictReader(file)}


def _photo_finder(options: ScoreOptions) -> Callable[[str], Path | None]:
    if options.photos is None:
        return PhotoCache(options.cache_folder, options.cache_bytes).file
    folder = PhotoFolder(Path(options.photos))

    def find(image: str) -> Path | None:
        name = folder.find(image)
        return None if name is None else folder.folder / name

    return find
