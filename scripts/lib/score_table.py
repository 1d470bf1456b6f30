"""Answers a table of questions about photos.

Every photo is read once, however many rows ask about it. What is answered is kept in a journal beside the output, from
which an interrupted run is resumed; memory does not grow with the table.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from functools import partial
from itertools import chain
from typing import NamedTuple

from resformer.model.errors import ResformerError
from resformer.model.files.whole_file import UnusableFile
from resformer.model.schema.schema import Schema
from resformer.scripts.engines.choose_engine import make_engine
from resformer.scripts.engines.endpoint_engine import EndpointEngine
from resformer.scripts.engines.engine import Engine
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.engines.threads_engine import ThreadsEngine
from resformer.scripts.lib.answerers import Answerer, endpoint_pool_for
from resformer.scripts.lib.journal import Journal, Outcome, Questions
from resformer.scripts.lib.locations import fingerprint
from resformer.scripts.lib.result_files import ResultFiles, write_results
from resformer.scripts.lib.run_progress import run_progress
from resformer.scripts.lib.run_summary import OutcomeCounts
from resformer.scripts.lib.score_options import ScoreOptions, answer_settings
from resformer.scripts.lib.score_run import KNOWN_COLUMNS, Run, opened_run
from resformer.scripts.lib.table_formats.format_names import format_of

__all__ = ["ScoreSummary", "score_table"]


class ScoreSummary(NamedTuple):
    """Rows of the output, those of them without an answer, and what became of each question."""

    rows: int
    failed: int
    outcomes: OutcomeCounts


def score_table(
    options: ScoreOptions,
    *,
    answerer: Answerer | None = None,
    on_photo: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> ScoreSummary:
    """Scores a table and writes its files.

    Args:
        options: What to score.
        answerer: Answers as the options say; None makes one from them.
        on_photo: Is told after each photo how many are answered, and how many there are. None shows a bar on stderr.
        stopped: Whether to answer no more. The files are then written with what was answered.

    Raises:
        UnusableFile: The table or another file cannot be used.
        EndpointError: The server cannot be used. What was answered before is in the journal.
        ValueError: The options exclude each other, or the weights cannot be loaded.
    """
    journal_file = options.journal
    try:
        with opened_run(options, journal_file, partial(answer_settings, options)) as run:
            make = partial(_engine, options, run, answerer)
            with run_progress() if on_photo is None else nullcontext(on_photo) as told:
                _answer_all(run.journal, make, run.schema, told, stopped)
            if fingerprint(options.table) != run.version:
                raise UnusableFile(f"{options.table} has changed since the run began; add --resume to score it again")
            other = [name for name in run.table.columns if name not in KNOWN_COLUMNS]
            out_format = format_of(options.out, options.out_format)
            files = ResultFiles(options.out, out_format, options.errors, options.details, other)
            counts = OutcomeCounts()
            written = write_results(counts.counted(run.journal.scored_rows()), run.table, files, run.entities)
            if options.summary:
                counts.write(options.summary, *written)
            return ScoreSummary(*written, counts)
    finally:
        if journal_file.exists():
            print(f"{journal_file} holds what was answered; --resume continues from it", file=sys.stderr)


def _engine(options: ScoreOptions, run: Run, answerer: Answerer | None, open_photos: int) -> Engine:
    if answerer:
        return ThreadsEngine(run.photos, answerer, options.jobs)
    if options.endpoints:
        pool = endpoint_pool_for(
            options.endpoints,
            weights=options.weights,
            reader=options.reader,
            min_confidence=options.min_confidence,
            assume_present=options.presumes_values,
            token=options.token,
            key_files=options.key_files,
            concurrency=options.concurrency,
        )
        return EndpointEngine(run.photos, pool)
    network = NetworkSettings(
        weights=options.weights,
        schema=options.schema,
        reader=options.reader,
        min_confidence=options.min_confidence,
        assume_present=options.presumes_values,
        device=options.device,
    )
    return make_engine(
        options.engine,
        network,
        run.photos,
        run.journal,
        open_photos=open_photos,
        jobs=options.jobs,
        workers=options.workers,
        batch=options.batch,
        address=options.address,
    )


def _answer_all(
    journal: Journal,
    engine: Callable[[int], Engine],
    schema: Schema,
    on_photo: Callable[[int, int], None],
    stopped: Callable[[], bool],
) -> None:
    """Answers every question of the journal that has no answer yet.

    Args:
        journal: Of the run.
        engine: Makes the engine for a number of photos.
        schema: Names that it lacks are answered without an engine.
        on_photo, stopped: See score_table.
    """
    count = journal.open_photos()
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        on_photo(done, count)

    def known() -> Iterator[Questions]:
        for questions in journal.questions():
            unknown = _stopped(questions) if stopped() else _unknown_entities(questions, schema)
            if unknown:
                journal.record(questions, unknown)
            if names := [name for name in questions.entities if name not in unknown]:
                yield questions._replace(entities=names)
            else:
                tell()

    questions = known()
    first = next(questions, None)
    if first is None:
        return
    with closing(engine(count).answers(chain([first], questions))) as answers:
        for answered in answers:
            journal.record(*answered)
            tell()


def _stopped(questions: Questions) -> dict[str, Outcome]:
    return dict.fromkeys(questions.entities, Outcome(None, "not answered: the run was stopped"))


def _unknown_entities(questions: Questions, schema: Schema) -> dict[str, Outcome]:
    outcomes = {}
    for name in questions.entities:
        try:
            schema[name]
        except ResformerError as error:
            outcomes[name] = Outcome(None, f"{type(error).__name__}: {error}")
    return outcomes
