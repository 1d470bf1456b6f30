"""A scoring run before anything is answered: its table is read into a journal, and its photos are found."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import IMAGE_COLUMNS, PhotoFolder, image_cell, link_identity
from resformer.model.files.whole_file import UnusableFile
from resformer.model.schema.schema import Entity, Schema
from resformer.scripts.lib.downloads import Downloader
from resformer.scripts.lib.journal import Journal, Row
from resformer.scripts.lib.locations import RemoteFile, fingerprint, location
from resformer.scripts.lib.packed_photos import (
    PhotoIndex,
    PhotoSpool,
    index_folder,
    index_shards,
    is_shards,
    photo_spool,
    shards,
)
from resformer.scripts.lib.photo_cache import PhotoCache
from resformer.scripts.lib.photo_sources import DownloadedPhotos, FolderPhotos, IndexedPhotos, PhotoSource
from resformer.scripts.lib.score_options import ScoreOptions, check_options
from resformer.scripts.lib.table_formats.format_names import format_of
from resformer.scripts.lib.table_formats.open_table import open_table
from resformer.scripts.lib.table_formats.table_reader import TableReader

__all__ = ["KNOWN_COLUMNS", "Run", "opened_run", "requested_entities"]

ABOUT = ("group_id", "title", "description")
KNOWN_COLUMNS = frozenset({"index", *IMAGE_COLUMNS, "entity_name", *ABOUT})
"""Columns of a table that say what is asked; the others are copied."""


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
    check_options(options)
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
        with _photo_source(options, journal, table) as photos:
            yield Run(schema, entities, table, version, journal, photos)


def requested_entities(names: Sequence[str], schema: Schema) -> list[Entity]:
    """The entities of these names, each once.

    Raises:
        UnusableFile: A name is unknown.
    """
    try:
        return [schema[name] for name in dict.fromkeys(names)]
    except ResformerError as error:
        raise UnusableFile(f"--entities: {error}; those of another network need its --schema") from error


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


@contextmanager
def _photo_files(options: ScoreOptions) -> Iterator[None]:
    """Deletes the files that make photos of this run readable."""
    try:
        yield
    finally:
        options.photo_index.unlink(missing_ok=True)
        options.photo_bytes.unlink(missing_ok=True)


@contextmanager
def _photo_source(options: ScoreOptions, journal: Journal, table: TableReader) -> Iterator[PhotoSource]:
    if table.photo_column or options.photos is not None:
        yield _files(options, journal, table)
        return
    cache = PhotoCache(options.cache_folder, options.cache_bytes)
    with Downloader(options.downloads, cache=cache, max_age=options.cache_max_age) as downloader:
        yield DownloadedPhotos(downloader)


def _files(options: ScoreOptions, journal: Journal, table: TableReader) -> PhotoSource:
    """Photos that are not downloaded."""
    if table.photo_column:
        return IndexedPhotos(PhotoIndex(options.photo_index), str(table.place))
    assert options.photos is not None
    text, place = str(options.photos), location(options.photos)
    if isinstance(place, Path) and not is_shards(text):
        folder = PhotoFolder(place)
        return FolderPhotos(folder, journal.images_of_one_file(folder.find, link_identity))
    if isinstance(place, RemoteFile) and not is_shards(text):
        index = index_folder(options.photo_index, place)
    else:
        index = index_shards(options.photo_index, shards(text))
    return IndexedPhotos(index, text, journal.images_of_one_file(index.find, link_identity))
