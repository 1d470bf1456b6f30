"""Answers a table of questions about photos.

Every photo is read once, however many rows ask about it. What is answered is kept in a journal beside the output, from
which an interrupted run is resumed; memory does not grow with the table.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from resformer.client.in_order import mapped
from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import IMAGE_COLUMNS, PhotoFolder, image_cell, link_identity
from resformer.model.files.whole_file import UnusableFile, file_digest
from resformer.model.schema.schema import Entity, Schema
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
from resformer.scripts.lib.photo_sources import DownloadedPhotos, FolderPhotos, IndexedPhotos, PhotoError, PhotoSource
from resformer.scripts.lib.result_files import ResultFiles, write_results
from resformer.scripts.lib.table_formats.format_names import format_of
from resformer.scripts.lib.table_formats.open_table import open_table
from resformer.scripts.lib.table_formats.table_reader import TableReader

__all__ = ["ScoreOptions", "ScoreSummary", "requested_entities", "score_table"]

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
    """Rows of the output, and those of them without an answer."""

    rows: int
    failed: int


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
    _check(options)
    schema = Schema.load(options.schema)
    entities = requested_entities(options.entities, schema)
    version = fingerprint(options.table)
    table = open_table(options.table, options.table_format)
    if not entities and "entity_name" not in table.columns and set(IMAGE_COLUMNS) & set(table.columns):
        raise UnusableFile(f"{options.table} has no column entity_name; name what to answer: --entities A,B")
    if options.photos and table.photo_column:
        raise UnusableFile(f"{options.table} has the photos in its column {table.photo_column}; leave --photos out")
    other = [name for name in table.columns if name not in KNOWN_COLUMNS]
    out_format = format_of(options.out, options.out_format)
    files = ResultFiles(options.out, out_format, options.errors, options.details, other)
    journal_file = options.journal
    try:
        with _photo_files(options), Journal(journal_file, _settings(options)) as journal:
            _add_questions(journal, options, table, entities)
            photos = _photo_source(options, journal, table)
            answerer = answerer or answerer_for(
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
            _answer_all(journal, photos, answerer, schema, options.jobs, on_photo)
            if fingerprint(options.table) != version:
                raise UnusableFile(f"{options.table} has changed since the run began; add --resume to score it again")
            return ScoreSummary(*write_results(journal.scored_rows(), table, files, entities))
    finally:
        if journal_file.exists():
            print(f"{journal_file} holds what was answered; --resume continues from it", file=sys.stderr)


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
    refuse_overwriting_any(inputs, [out, options.errors, options.details, *working])
    refuse_overwriting_any([out], [options.errors, options.details])
    if options.journal.exists() and not options.resume:
        raise UnusableFile(f"{options.journal} is of an interrupted run; add --resume, or delete it")


def _settings(options: ScoreOptions) -> str:
    """Whatever changes answers."""
    settings = [f"reader {options.reader or 'by default'}"]
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
    photos: PhotoSource,
    answerer: Answerer,
    schema: Schema,
    jobs: int,
    on_photo: Callable[[int, int], None] | None,
) -> None:
    """Answers every question of the journal that has no answer yet."""

    def answered(questions: Questions) -> tuple[Questions, dict[str, Outcome]]:
        return questions, _outcomes(questions, photos, answerer, schema)

    results = mapped(answered, journal.questions(), jobs)
    count = journal.open_photos()
    shown = tqdm(results, total=count, unit="photo", disable=True if on_photo else None)
    for done, (questions, outcomes) in enumerate(shown, 1):
        journal.record(questions, outcomes)
        if on_photo:
            on_photo(done, count)


def _outcomes(questions: Questions, photos: PhotoSource, answerer: Answerer, schema: Schema) -> dict[str, Outcome]:
    outcomes = {}
    known = []
    for name in questions.entities:
        try:
            known.append(schema[name].name)
        except ResformerError as error:
            outcomes[name] = Outcome(None, f"{type(error).__name__}: {error}")
    try:
        answers = answerer(photos(questions.image), known, questions.about) if known else {}
        outcomes.update((name, Outcome(answers[name], "")) for name in known)
    except PhotoError as error:
        outcomes.update((name, Outcome(None, str(error))) for name in known)
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
