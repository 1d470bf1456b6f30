"""Answers a table of questions about photos.

Every photo is read once, however many rows ask about it. What is answered is kept in a journal beside the output, from
which an interrupted run is resumed; memory does not grow with the table.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import IMAGE_COLUMNS, PhotoFolder, image_cell, link_identity
from resformer.model.files.whole_file import UnusableFile, file_digest
from resformer.model.schema.schema import Entity, Schema
from resformer.scripts.engines.choose_engine import make_engine
from resformer.scripts.engines.engine import Engine
from resformer.scripts.engines.engine_name import EngineName
from resformer.scripts.engines.network_settings import NetworkSettings
from resformer.scripts.engines.threads_engine import ThreadsEngine
from resformer.scripts.lib.answerers import Answerer, answerer_for
from resformer.scripts.lib.downloads import Downloader
from resformer.scripts.lib.journal import Journal, Outcome, Questions, Row
from resformer.scripts.lib.locations import (
    Location,
    RemoteFile,
    beside,
    fingerprint,
    location,
    refuse_overwriting_any,
    refuse_unwritable,
)
from resformer.scripts.lib.packed_photos import (
    PhotoIndex,
    PhotoSpool,
    index_folder,
    index_shards,
    is_shards,
    photo_spool,
    shards,
)
from resformer.scripts.lib.photo_sources import DownloadedPhotos, FolderPhotos, IndexedPhotos, PhotoSource
from resformer.scripts.lib.result_files import ResultFiles, write_results
from resformer.scripts.lib.run_progress import run_progress
from resformer.scripts.lib.run_summary import OutcomeCounts
from resformer.scripts.lib.table_formats.format_names import format_of
from resformer.scripts.lib.table_formats.open_table import open_table
from resformer.scripts.lib.table_formats.table_reader import TableReader

__all__ = ["Run", "ScoreOptions", "ScoreSummary", "opened_run", "requested_entities", "score_table"]

ABOUT = ("group_id", "title", "description")
KNOWN_COLUMNS = frozenset({"index", *IMAGE_COLUMNS, "entity_name", *ABOUT})


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What to score, with what, into which files.

    Attributes:
        table: A table of questions, one a row, or of products where `entities` are given.
        out: The table of answers.
        table_format, out_format: How they are written (a TableFormat's value); None takes it from their names.
        entities: Names; each is asked about every row.
        photos: Where the photos are: a folder of this machine or of an object store, or tar files as `shards` takes
            them; None takes them from the table's column, or downloads them.
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
        summary: A JSON file for how many questions were answered, by entity.
        details: A file for all keys of every answer, JSON lines.
        min_confidence: As that of Predictor.predict.
        assume_present: As that of Predictor.predict; None is True for a table of questions, whose rows name what the
            products have, and False for one of products.
        resume: Whether to resume an interrupted run.
    """

    table: Location
    out: Location
    table_format: str | None = None
    out_format: str | None = None
    entities: Sequence[str] = ()
    photos: Path | str | None = None
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
    details: Location | None = None
    min_confidence: float | None = None
    assume_present: bool | None = None
    resume: bool = False

    @property
    def presumes_values(self) -> bool:
        """The value of `assume_present`."""
        return not self.entities if self.assume_present is None else self.assume_present

    @property
    def errors(self) -> Location:
        """The table of the rows without an answer."""
        return self.out.with_suffix(".errors.csv")

    @property
    def journal(self) -> Path:
        """The journal of an unfinished run; in the working folder where `out` is remote."""
        return beside(self.out, f"{self.out.name}.journal")

    @property
    def photo_index(self) -> Path:
        """The index of the photos, while a run needs one."""
        return beside(self.out, f"{self.out.name}.photos")

    @property
    def photo_bytes(self) -> Path:
        """The photos that a column of the table holds, during a run."""
        return beside(self.out, f"{self.out.name}.photos.bytes")

    @property
    def downloads(self) -> Path:
        """The folder of downloaded photos."""
        return self.cache or beside(self.out, self.out.with_suffix(".images").name)


class ScoreSummary(NamedTuple):
    """Rows of the output, those of them without an answer, and what became of each question."""

    rows: int
    failed: int
    outcomes: OutcomeCounts


@dataclass(frozen=True)
class Run:
    """A run that can begin.

    Attributes:
        schema: Of the entities.
        entities: That are asked about every row; none where rows name their own.
        table: The input; its columns and its rows.
        version: Of the table's file.
        journal: Holds the table's questions, and what was answered before.
        photos: Where photos come from.
    """

    schema: Schema
    entities: Sequence[Entity]
    table: TableReader
    version: str
    journal: Journal
    photos: PhotoSource


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
    journal_file = options.journal
    try:
        with opened_run(options, journal_file, partial(_settings, options)) as run:
            make = partial(_engine, options, run, answerer)
            with run_progress() if on_photo is None else nullcontext(on_photo) as told:
                _answer_all(run.journal, make, run.schema, told)
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


@contextmanager
def opened_run(options: ScoreOptions, journal_file: Path, settings: Callable[[], str]) -> Iterator[Run]:
    """Checks the options and reads the whole table into a journal.

    Args:
        options: What to score.
        journal_file: Of the journal.
        settings: Whatever changes answers, see Journal; is called after the checks.

    Raises:
        UnusableFile, ValueError: As score_table.
    """
    _check(options)
    schema = Schema.load(options.schema)
    entities = requested_entities(options.entities, schema)
    version = fingerprint(options.table)
    table = open_table(options.table, options.table_format)
    if not entities and "entity_name" not in table.columns and set(IMAGE_COLUMNS) & set(table.columns):
        raise UnusableFile(f"{options.table} has no column entity_name; name what to answer: --entities A,B")
    if options.photos and table.photo_column:
        raise UnusableFile(f"{options.table} has the photos in its column {table.photo_column}; leave --photos out")
    format_of(options.out, options.out_format)  # raises where it cannot be told
    with _photo_files(options), Journal(journal_file, settings()) as journal:
        _add_questions(journal, options, table, entities)
        yield Run(schema, entities, table, version, journal, _photo_source(options, journal, table))


def _engine(options: ScoreOptions, run: Run, answerer: Answerer | None, open_photos: int) -> Engine:
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
        return ThreadsEngine(run.photos, answerer, options.jobs)
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
    refuse_unwritable(out)
    if options.details:
        refuse_unwritable(options.details)
    if options.photos and options.cache:
        raise ValueError("--photos and --cache exclude each other: photos of a folder are not downloaded")
    photos = options.photos and location(options.photos)
    if isinstance(photos, Path) and not is_shards(str(photos)) and not photos.is_dir():
        raise UnusableFile(f"--photos {photos} is not a folder")
    inputs = [options.table, options.weights, options.schema, options.key_file]
    working = [options.journal, options.photo_index, options.photo_bytes]
    refuse_overwriting_any(inputs, [out, options.errors, options.details, options.summary, *working])
    refuse_overwriting_any([out], [options.errors, options.details, options.summary])
    refuse_overwriting_any([options.errors, options.details], [options.summary])
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
    if options.batch > 1:
        settings.append(f"--batch {options.batch}")
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


def _add_questions(journal: Journal, options: ScoreOptions, table: TableReader, entities: Sequence[Entity]) -> None:
    def add(spool: PhotoSpool | None) -> None:
        journal.add(islice(_questions(table, entities, spool), _question_limit(options, entities)), options.table)

    if table.photo_column:
        with photo_spool(options.photo_index, options.photo_bytes) as spool:
            add(spool)
    else:
        add(None)


def _questions(table: TableReader, entities: Sequence[Entity], spool: PhotoSpool | None) -> Iterator[Row]:
    """The questions of the input: one a row, or these entities of each row.

    Args:
        table: The input.
        entities: Asked about each row; without them the rows name theirs.
        spool: Takes the photos that the table itself holds.
    """
    images = "|".join(IMAGE_COLUMNS)
    needed = (images,) if entities else (images, "entity_name")
    for number, row in enumerate(table.rows(needed, ["index", *ABOUT])):
        cells = row.cells
        image = image_cell(cells) if spool is None else _spooled(spool, row.photo)
        # A row that cannot be read may lack an index; its place is there for errors, and differs from those of others.
        index, fault = cells.get("index", str(number)), row.fault
        if "\0" in index:  # which a journal has between index and entity
            index, fault = "", f"{table.place}, {row.place}: the index {index!r} holds a NUL; write another one"
        index = index or (row.place if fault else "")
        about = {name: value for name in ABOUT if (value := cells.get(name, "").strip())}
        if not entities:
            yield Row(index, image, cells["entity_name"].strip(), about, row.place, fault)
        for entity in entities:
            yield Row(index, image, entity.name, about, row.place, fault, shares_index=True)


def _spooled(spool: PhotoSpool, photo: bytes | None) -> str:
    return "" if photo is None else spool.add(photo)


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


@contextmanager
def _photo_files(options: ScoreOptions) -> Iterator[None]:
    """Deletes the files that make photos of this run readable."""
    try:
        yield
    finally:
        options.photo_index.unlink(missing_ok=True)
        options.photo_bytes.unlink(missing_ok=True)


def _photo_source(options: ScoreOptions, journal: Journal, table: TableReader) -> PhotoSource:
    if table.photo_column:
        return IndexedPhotos(PhotoIndex(options.photo_index), str(table.place))
    if options.photos is None:
        return DownloadedPhotos(options.downloads, Downloader(threads=options.jobs))
    text = str(options.photos)
    place = location(options.photos)
    if isinstance(place, Path) and not is_shards(text):
        folder = PhotoFolder(place)
        return FolderPhotos(folder, journal.images_of_one_file(folder.find, link_identity))
    if isinstance(place, RemoteFile) and not is_shards(text):
        index = index_folder(options.photo_index, place)
    else:
        index = index_shards(options.photo_index, shards(text))
    return IndexedPhotos(index, text, journal.images_of_one_file(index.find, link_identity))
