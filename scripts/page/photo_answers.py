"""What the page does when a photo or a question changes. Plain functions: Gradio is elsewhere."""

import functools
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from resformer.model.schema.schema import Entity
from resformer.scripts.page.answer_sources import Source, SourceError
from resformer.scripts.page.copy_texts import copy_texts
from resformer.scripts.page.photo_file import PhotoFile
from resformer.scripts.page.question import Question
from resformer.scripts.page.row_view import ALL_ALTERNATIVES, compare_rows, row_view

__all__ = ["BUSY", "FAULT", "Side", "answer_photo", "compare_photo", "failure", "faults_shown", "shown_photo"]

FAULT = "The page has a fault, which its terminal shows. Try again, or with another photo."
"""What stands in place of an answer where the program fails."""
BUSY = {"busy": True}
"""What a component shows while a photo is read."""


class Side(NamedTuple):
    """One side of a comparison."""

    source: Source
    reader: str


def shown_photo(photo: PhotoFile) -> dict[str, Any]:
    """A photo as components take it."""
    return {"preview": photo.preview, "name": Path(photo.name).name, "width": photo.width, "height": photo.height}


def failure(message: str, *, keeps_photo: bool = False) -> dict[str, Any]:
    """What a component shows in place of an answer."""
    return {"error": message, "photo": None if keeps_photo else False}


def faults_shown(
    answer: Callable[..., tuple[dict[str, Any], PhotoFile | None]],
) -> Callable[..., tuple[dict[str, Any], PhotoFile | None]]:
    """Makes a fault of the program an answer too, since a component would else wait for one forever."""

    @functools.wraps(answer)
    def shown(*arguments: Any) -> tuple[dict[str, Any], PhotoFile | None]:
        try:
            return answer(*arguments)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return failure(FAULT), None

    return shown


def answer_photo(
    source: Source, entities: Sequence[Entity], photo: PhotoFile, question: Question, *, is_new: bool
) -> dict[str, Any]:
    """The row of a photo, for the component of the tab "Photo".

    Args:
        source: What answers.
        entities: All that are known.
        photo: The photo.
        question: What is asked about it.
        is_new: Whether the component does not show the photo yet.
    """
    shown = shown_photo(photo) if is_new else None
    started = time.monotonic()
    try:
        calibrated = source.ask(photo.data, question)
        seconds = time.monotonic() - started
        guesses = source.ask(photo.data, question, min_confidence=0.0, top_k=ALL_ALTERNATIVES)
    except SourceError as error:
        return {**failure(str(error), keeps_photo=True), "photo": shown}
    answers = row_view(entities, calibrated["predictions"], guesses["predictions"])
    return {
        "photo": shown,
        "answers": answers,
        "copies": copy_texts(source.url, photo.name, question),
        "version": calibrated["version"],
        "milliseconds": round(1000 * seconds),
    }


def compare_photo(
    sides: tuple[Side, Side], entities: Sequence[Entity], photo: PhotoFile, names: tuple[str, str], *, is_new: bool
) -> dict[str, Any]:
    """Two rows of a photo, for the component of the tab "Compare".

    Args:
        sides: What answers the two.
        entities: All that are known.
        photo: The photo.
        names: Of the sides, for people.
        is_new: Whether the component does not show the photo yet.
    """
    shown = shown_photo(photo) if is_new else None
    try:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda side: side.source.ask(photo.data, Question(reader=side.reader)), sides)
    except SourceError as error:
        return {**failure(str(error), keeps_photo=True), "photo": shown}
    rows = compare_rows(entities, first["predictions"], second["predictions"])
    count = sum(row["differs"] for row in rows)
    summary = f"{count} of {len(rows)} answers differ." if count else f"All {len(rows)} answers are the same."
    return {"photo": shown, "rows": rows, "sides": list(names), "summary": summary}
