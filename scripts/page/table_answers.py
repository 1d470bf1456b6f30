"""What the page does with a table. Plain functions: Gradio is elsewhere."""

import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import ScoreSummary
from resformer.scripts.page.answer_sources import Source
from resformer.scripts.page.photo_answers import FAULT
from resformer.scripts.page.results_view import MAX_ROWS, results_view
from resformer.scripts.page.table_input import TableInputError, read_table_input
from resformer.scripts.page.table_run import Progress, run_table

__all__ = ["score_files"]

JOBS = 2  # photos under way: the page is for trying, and progress is shown in order


def score_files(
    source: Source,
    entities: Sequence[str],
    reader: str,
    files: tuple[Path | None, Path | None],
    folder: Path,
    stopped: Event,
    *,
    schema: Path | None,
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Scores an uploaded table; yields what the component shows, and the files to download.

    Args:
        source: What answers.
        entities: Names that are asked about each product; a table with a column entity_name names its own.
        reader: How text is read.
        files: A table and a zip of photos; one may be None.
        folder: For the files of this run; is deleted where it fails.
        stopped: Ends the run.
        schema: The file of the entities; None is the shipped one.
    """
    folder.mkdir(parents=True)
    try:
        yield _progress(Progress(0, 0, 0.0)), []
        given = read_table_input(*files, folder)
        options = ScoreOptions(
            table=given.table,
            out=folder / "answers.csv",
            entities=() if given.has_questions else entities,
            photos=given.photos,
            schema=schema,
            endpoints=[source.url] if source.url else [],
            reader=reader,
            jobs=JOBS,
            details=folder / "answers.jsonl",
        )
        answerer = source.answerer(reader=reader, min_confidence=None, assume_present=options.presumes_values)
        for report in run_table(options, answerer, stopped):
            if isinstance(report, Progress):
                yield _progress(report), []
                continue
            made = [path for path in (options.out, options.details, options.errors) if path and path.exists()]
            shown = {"summary": _summary(report, given.notice, stopped), "results": results_view(options)}
            yield shown, [str(path) for path in made]
    except (TableInputError, ExternalError, ValueError, OSError) as error:  # what `resformer score` says in a sentence
        message = _without_folder(str(error), folder, files)
        shutil.rmtree(folder, ignore_errors=True)
        yield {"error": message}, []
    except Exception:  # the component would else wait for an end
        traceback.print_exc(file=sys.stderr)
        yield {"error": FAULT}, []


def _progress(report: Progress) -> dict[str, Any]:
    progress = {"done": report.done, "total": report.total, "rate": report.rate, "left": report.seconds_left}
    return {"progress": progress}


def _summary(summary: ScoreSummary, notice: str, stopped: Event) -> str:
    rows = f"{summary.rows} row{'s' * (summary.rows != 1)}"
    answered = summary.rows - summary.failed
    if stopped.is_set():
        parts = [f"Stopped: {answered} of {rows} {_are(answered)} answered."]
    elif summary.failed:
        parts = [f"{answered} of {rows} {_are(answered)} answered; the table says why the others are not."]
    else:
        parts = [f"{rows} {_are(summary.rows)} scored."]
    if summary.rows > MAX_ROWS:
        parts.append(f"The first {MAX_ROWS} are shown; the files have all.")
    return " ".join([*parts, notice]).strip()


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _without_folder(message: str, folder: Path, files: tuple[Path | None, Path | None]) -> str:
    """An error without the paths of this machine's temporary files."""
    for path in (folder, *(file.parent for file in files if file)):
        message = message.replace(f"{path}/", "")
    return message if message.endswith(".") else f"{message}."
