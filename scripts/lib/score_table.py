"""Answers a table of questions about photos.

Every photo is read once, however many rows ask about it. What is answered is kept in a journal beside the output, from
which an interrupted run is resumed; memory does not grow with the table.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import IMAGE_COLUMNS, PhotoFolder, image_cell, link_identity
from resformer.model.files.tables import read_header, read_table
from resformer.model.files.whole_file import UnusableFile, file_digest, refuse_overwriting
from resformer.model.schema.schema import Entity, Schema
from resformer.scripts.engines.choose_engine import make_engine
from resformer.scripts.engines.engine import Engine
from resformer.scripts.engines.engine_name import EngineName
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.engines.threads_engine import ThreadsEngine
from resformer.scripts.lib.answerers import Answerer, answerer_for
from resformer.scripts.lib.downloads import Downloader
from resformer.scripts.lib.journal import Journal, Outcome, Questions, Row
from resformer.scripts.lib.photo_sources import PhotoSource, downloaded, in_folder
from resformer.scripts.lib.result_files import ResultFiles, write_products, write_results
from resformer.scripts.lib.run_progress import run_progress
from resformer.scripts.lib.run_summary import OutcomeCounts

__all__ = ["Run", "ScoreOptions", "ScoreSummary", "prepare_run", "requested_entities", "score_table"]

ABOUT = ("group_id", "title", "description")
KNOWN_COLUMNS = frozenset({"index", *IMAGE_COLUMNS, "entity_name", *ABOUT})


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What to score, with what, into which files.

    Attributes:
        table: A table of questions, one a row, or of products where `entities` are given.
        out: The table of answers.
        entities: Names; each is asked about every row.
        photos: The folder of the photos; None downloads them.
        cache: The folder of downloaded photos; None is `out` with the suffix `.images`.
        limit: Rows at the table's beginning that are scored; None scores all.
        weights, schema: Other files than the shipped ones.
        endpoint: The address of a server that answers in place of the network in this process.
        token: The server's inference key.
        key_file: TorchServe's file with the key.
        reader: How text is read; None is the default of the weights or of the server.
        jobs: Photos that are fetched and answered at once.
        engine: What answers, where it is not a server.
        workers, batch, address: See make_engine.
        device: Where the network computes, as torch names it.
        summary: A JSON file for how many rows were answered, by entity.
        details: A file for all keys of every answer, JSON lines.
        min_confidence: As that of Predictor.predict.
        assume_present: As that of Predictor.predict; None is True for a table of questions, whose rows name what the
            products have, and False for one of products.
        resume: Whether to resume an interrupted run.
    """

    table: Path
    out: Path
    entities: Sequence[str] = ()
    photos: Path | None = None
    cache: Path | None = None
    limit: int | None = None
    weights: Path | None = None
    schema: Path | None = None
    endpoint: str | None = None
    token: str = ""
    key_file: Path | None = None
    reader: str | None = None
    jobs: int = 4
    engine: EngineName = EngineName.AUTO
    workers: int | None = None
    batch: int = 1
    address: str | None = None
    device: str = "cpu"
    summary: Path | None = None
    details: Path | None = None
    min_confidence: float | None = None
    assume_present: bool | None = None
    resume: bool = False

    @property
    def presumes_values(self) -> bool:
        """The value of `assume_present`."""
        return not self.entities if self.assume_present is None else self.assume_present

    @property
    def errors(self) -> Path:
        """The table of the rows without an answer."""
        return self.out.with_suffix(".errors.csv")

    @property
    def journal(self) -> Path:
        """The journal of an unfinished run."""
        return self.out.with_name(f"{self.out.name}.journal")


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
) -> ScoreSummary:
    """Scores a table and writes its files.

    Args:
        options: What to score.
        answerer: Answers as the options say; None makes one from them.
        on_photo: Is told after each photo how many are answered, and how many there are. None shows a bar on stderr.

    Raises:
        UnusableFile: The table or another file cannot be used.
        EndpointError: The server cannot be used. What was answered before is in the journal.
        ValueError: The options exclude each other, or the weights cannot be loaded.
    """
    run = prepare_run(options)
    entities = run.entities
    files = ResultFiles(options.out, options.errors, options.details, run.other_columns)
    journal_file = options.journal
    try:
        with Journal(journal_file, _settings(options)) as journal:
            journal.add(run.questions(), options.table)
            photos = _photo_source(options, journal)
            with run_progress() if on_photo is None else nullcontext(on_photo) as told:
                _answer_all(journal, partial(_engine, options, journal, photos, answerer), run.schema, told)
            counts = OutcomeCounts()
            rows = counts.counted(journal.scored_rows())
            written = write_products(rows, files, entities) if entities else write_results(rows, files)
            if options.summary:
                counts.write(options.summary, *written)
            return ScoreSummary(*written, counts)
    finally:
        if journal_file.exists():
            print(f"{journal_file} holds what was answered; --resume continues from it", file=sys.stderr)


@dataclass(frozen=True)
class Run:
    """A run whose options and table's header have been checked.

    Attributes:
        options: See ScoreOptions.
        schema: Of the entities.
        entities: That are asked about every row; none where rows name their own.
        other_columns: Of the table, that are copied.
    """

    options: ScoreOptions
    schema: Schema
    entities: Sequence[Entity]
    other_columns: Sequence[str]

    def questions(self) -> Iterator[Row]:
        """The questions of the table, up to the limit."""
        limit = _question_limit(self.options, self.entities)
        return islice(_questions(self.options, self.entities, self.other_columns), limit)


def prepare_run(options: ScoreOptions) -> Run:
    """Checks options and the table's header.

    Raises:
        UnusableFile, ValueError: As score_table.
    """
    _check(options)
    schema = Schema.load(options.schema)
    entities = requested_entities(options.entities, schema)
    header = read_header(options.table)
    if not entities and "entity_name" not in header and set(IMAGE_COLUMNS) & set(header):
        raise UnusableFile(f"{options.table} has no column entity_name; name what to answer: --entities A,B")
    return Run(options, schema, entities, [name for name in header if name not in KNOWN_COLUMNS])


def _engine(
    options: ScoreOptions, journal: Journal, photos: PhotoSource, answerer: Answerer | None, open_photos: int
) -> Engine:
    network = NetworkSettings(
        weights=options.weights,
        schema=options.schema,
        reader=options.reader,
        min_confidence=options.min_confidence,
        assume_present=options.presumes_values,
        device=options.device,
    )
    if options.endpoint and answerer is None:
        answerer = answerer_for(
            weights=options.weights,
            schema=options.schema,
            reader=options.reader,
            min_confidence=options.min_confidence,
            assume_present=options.presumes_values,
            endpoint_url=options.endpoint,
            token=options.token,
            key_file=options.key_file,
            connections=options.jobs,
        )
    if answerer:
        return ThreadsEngine(photos, answerer, options.jobs)
    return make_engine(
        options.engine,
        network,
        photos,
        journal,
        open_photos=open_photos,
        jobs=options.jobs,
        workers=options.workers,
        batch=options.batch,
        address=options.address,
    )


def requested_entities(names: Sequence[str], schema: Schema) -> list[Entity]:
    """The entities of these names, each once.

    Raises:
        UnusableFile: A name is unknown.
    """
    try:
        return [schema[name] for name in dict.fromkeys(names)]
    except ResformerError as error:
        raise UnusableFile(f"--entities: {error}; those of another network need its --schema") from error


def _check(options: ScoreOptions) -> None:
    out = options.out
    if not out.parent.is_dir():
        raise UnusableFile(f"{out.parent} is not a folder")
    if options.photos and options.cache:
        raise ValueError("--photos and --cache exclude each other: photos of a folder are not downloaded")
    if options.photos and not options.photos.is_dir():
        raise UnusableFile(f"--photos {options.photos} is not a folder")
    inputs = [options.table, options.weights, options.schema, options.key_file]
    refuse_overwriting(inputs, [out, options.errors, options.details, options.summary, options.journal])
    refuse_overwriting([out], [options.errors, options.details, options.summary])
    refuse_overwriting([options.errors, options.details], [options.summary])
    if options.endpoint and options.engine is not EngineName.AUTO:
        raise ValueError(f"--engine {options.engine} and --endpoint exclude each other: the server answers")
    if options.address and options.engine is not EngineName.RAY:
        raise ValueError("--address is that of a Ray cluster; add --engine ray")
    if options.journal.exists() and not options.resume:
        raise UnusableFile(f"{options.journal} is of an interrupted run; add --resume, or delete it")


def _settings(options: ScoreOptions) -> str:
    """Whatever changes answers."""
    settings = [f"reader {options.reader or 'by default'}"]
    if options.device != "cpu":
        settings.append(f"--device {options.device}")
    if options.min_confidence is not None:
        settings.append(f"--min-confidence {options.min_confidence}")
    settings.append("--assume-present" if options.presumes_values else "--no-assume-present")
    if options.endpoint:
        return ", ".join([*settings, f"server {options.endpoint}"])
    from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS  # imports torch

    settings.append(f"weights {_digest(options.weights or DEFAULT_WEIGHTS)}")
    if options.schema:
        settings.append(f"schema {_digest(options.schema)}")
    return ", ".join(settings)


def _digest(path: Path) -> str:
    try:
        return file_digest(path)[:16]
    except OSError as error:
        raise UnusableFile(f"cannot load the network: cannot read {path}: {error.strerror}") from error


def _questions(options: ScoreOptions, entities: Sequence[Entity], other: Sequence[str]) -> Iterator[Row]:
    """The questions of the input: one a row, or these entities of each row."""
    columns = ("|".join(IMAGE_COLUMNS),) if entities else ("|".join(IMAGE_COLUMNS), "entity_name")
    for number, row in enumerate(read_table(options.table, *columns)):
        image = image_cell(row)
        index = row.get("index", str(number))
        about = {name: value for name in ABOUT if (value := row.get(name, "").strip())}
        kept = [row[name] for name in other]
        if not entities:
            yield Row(index, image, row["entity_name"].strip(), about, kept, row.line)
        for entity in entities:
            yield Row(index, image, entity.name, about, kept, row.line, shares_index=True)


def _question_limit(options: ScoreOptions, entities: Sequence[Entity]) -> int | None:
    return None if options.limit is None else options.limit * max(1, len(entities))


def _answer_all(
    journal: Journal,
    engine: Callable[[int], Engine],
    schema: Schema,
    on_photo: Callable[[int, int], None],
) -> None:
    """Answers every question of the journal that has no answer yet.

    Args:
        journal: Of the run.
        engine: Makes the engine for a number of photos.
        schema: Names that it lacks are answered without an engine.
        on_photo: See score_table.
    """
    count = journal.open_photos()
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        on_photo(done, count)

    def known() -> Iterator[Questions]:
        for questions in journal.questions():
            unknown = _unknown_entities(questions, schema)
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


def _unknown_entities(questions: Questions, schema: Schema) -> dict[str, Outcome]:
    outcomes = {}
    for name in questions.entities:
        try:
            schema[name]
        except ResformerError as error:
            outcomes[name] = Outcome(None, f"{type(error).__name__}: {error}")
    return outcomes


def _photo_source(options: ScoreOptions, journal: Journal) -> PhotoSource:
    if options.photos is None:
        cache = options.cache or options.out.with_suffix(".images")
        return downloaded(cache, Downloader(threads=options.jobs))
    folder = PhotoFolder(options.photos)
    return in_folder(folder, journal.images_of_one_file(folder.find, link_identity))
