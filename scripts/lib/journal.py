"""The questions and answers of a scoring run, in a file on disk.

Tables of millions of rows fit in no memory, and runs over them are interrupted. So rows and answers are kept in an
SQLite file beside the output: rows can be grouped by photo there, and a run that was killed is resumed from it.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Self

from resformer.model.files.whole_file import UnusableFile

__all__ = ["Journal", "Outcome", "Questions", "Row", "ScoredRow", "about_text"]

TABLES = """
CREATE TABLE IF NOT EXISTS settings (text TEXT);
CREATE TABLE IF NOT EXISTS answers (image TEXT, entity TEXT, about TEXT, outcome TEXT, error TEXT,
    PRIMARY KEY (image, entity, about)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents (content BLOB PRIMARY KEY, image TEXT) WITHOUT ROWID;
DROP TABLE IF EXISTS rows;
CREATE TABLE rows (position INTEGER PRIMARY KEY, row_index TEXT UNIQUE, image TEXT, entity TEXT,
    about TEXT, fault TEXT);
"""


# Between index and entity where they are a key together; no cell of a table holds it.
KEY_SEPARATOR = "\0"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the input: one question about one photo.

    Attributes:
        about: Group and texts of the product, by the names of Predictor.predict's arguments.
        place: Where it is in the table, such as `line 7`.
        fault: Why it cannot be asked, which is its error then; "" where it can.
        shares_index: Whether the table's row asks several questions, so that they have one index.
    """

    index: str
    image: str
    entity: str
    about: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    fault: str = ""
    shares_index: bool = False


class Questions(NamedTuple):
    """The entities that are asked about one photo, and group and texts of its product."""

    image: str
    about: Mapping[str, str]
    entities: list[str]


class Outcome(NamedTuple):
    """The six keys of a prediction, or the error in place of it."""

    answer: Mapping[str, Any] | None
    error: str


class ScoredRow(NamedTuple):
    """A row of the input and its outcome."""

    row: Row
    outcome: Outcome


class Journal:
    """The journal of a run, to be used in a `with` statement, which deletes the file when the run is through.

    Only a run that ends in an exception, or is killed, leaves its journal, and only if it had answers.

    Args:
        path: The file; a journal that is there already is resumed.
        settings: Whatever changes answers, as a text: a journal that was made with others is not resumed.

    Raises:
        UnusableFile: The file is no journal, or was made with other settings.
    """

    def __init__(self, path: Path, settings: str):
        self._path = path
        self._connection = sqlite3.connect(path)
        try:
            # Safe against the end of this process, if not of the machine, and needs no wait for the disk.
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.executescript(TABLES)
        except sqlite3.DatabaseError as error:
            raise UnusableFile(f"{path} is not a usable journal ({error}); delete it") from error
        made_with = self._connection.execute("SELECT text FROM settings").fetchone()
        if made_with and made_with[0] != settings:
            raise UnusableFile(
                f"{path} was made with {made_with[0]} and not with {settings}; use that again, or delete the file"
            )
        with self._connection:
            if not made_with:
                self._connection.execute("INSERT INTO settings VALUES (?)", (settings,))
            # What failed is tried again: a photo may be there by now.
            self._connection.execute("DELETE FROM answers WHERE error <> ''")

    def add(self, rows: Iterable[Row], table: object) -> None:
        """Adds the questions of a run, which are those of a table.

        Args:
            rows: The questions.
            table: Named in errors.

        Raises:
            UnusableFile: An index is there twice.
        """
        with self._connection:
            for number, row in enumerate(rows):
                key = f"{row.index}{KEY_SEPARATOR}{row.entity}" if row.shares_index else row.index
                values = (number, key, row.image, row.entity, about_text(row.about), row.fault)
                try:
                    self._connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", values)
                except sqlite3.IntegrityError as error:
                    raise UnusableFile(
                        f"{table}, {row.place}, column index: {row.index!r} is there twice; indexes must differ"
                    ) from error
            self._connection.execute("CREATE INDEX rows_by_image ON rows (image, entity)")
            # A photo shows one product: the first row with group or texts provides them for the rows without.
            self._connection.execute(
                """UPDATE rows SET about = (SELECT r.about FROM rows r WHERE r.image = rows.image
                                            ORDER BY r.about = '', r.position LIMIT 1) WHERE about = ''"""
            )

    def images_of_one_file(
        self, file_of: Callable[[str], str | None], identity: Callable[[str], str]
    ) -> dict[str, str]:
        """By image, the first image of the table that has the same file and another identity.

        Args:
            file_of: the file of an image; None where there is none.
            identity: equal for images that are one photo.
        """
        for name, function in (("file_of", file_of), ("identity", identity)):
            self._connection.create_function(name, 1, function, deterministic=True)
        query = """WITH images AS MATERIALIZED
                     (SELECT image, MIN(position) AS position, file_of(image) AS file, identity(image) AS id
                      FROM rows WHERE fault = '' GROUP BY image),
                   shared AS
                     (SELECT file, MIN(position) AS position FROM images WHERE file IS NOT NULL
                      GROUP BY file HAVING COUNT(DISTINCT id) > 1)
                   SELECT other.image, first.image FROM shared
                   JOIN images first ON first.position = shared.position
                   JOIN images other ON other.file = shared.file AND other.id <> first.id"""
        return dict(self._connection.execute(query))

    def faults(self) -> Iterator[tuple[int, str]]:
        """Rows that cannot be asked: position, from 0, and why."""
        yield from self._connection.execute("SELECT position, fault FROM rows WHERE fault <> '' ORDER BY position")

    def open_photos(self) -> int:
        """How many photos have questions without an answer."""
        query = f"SELECT COUNT(DISTINCT image) FROM ({OPEN_QUESTIONS})"
        count: int = self._connection.execute(query).fetchone()[0]
        return count

    def questions(self) -> Iterator[Questions]:
        """Every photo that has questions without an answer, once, with the entities they are about."""
        asked = self._connection.execute(f"{OPEN_QUESTIONS} ORDER BY image, about, entity")
        for (image, about), of_photo in groupby(asked, lambda row: (row[0], row[2])):
            yield Questions(image, json.loads(about or "{}"), [entity for _, entity, _ in of_photo])

    def record(self, questions: Questions, outcomes: Mapping[str, Outcome]) -> None:
        """Stores the outcome of each question about a photo."""
        rows = [
            (questions.image, entity, about_text(questions.about), json.dumps(outcome.answer), outcome.error)
            for entity, outcome in outcomes.items()
        ]
        with self._connection:
            self._connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", rows)

    def same_content(self, content: bytes, questions: Questions) -> dict[str, Outcome] | None:
        """The outcomes of questions that have been recorded for this content; None where there are none.

        Args:
            content: See `remember_content`.
            questions: Of this content.
        """
        query = """SELECT entity, outcome, error FROM contents JOIN answers USING (image)
                   WHERE content = ? AND about = ?"""
        found = {
            entity: Outcome(json.loads(answer), error)
            for entity, answer, error in self._connection.execute(query, (content, about_text(questions.about)))
        }
        return {name: found[name] for name in questions.entities} if found.keys() >= set(questions.entities) else None

    def remember_content(self, content: bytes, questions: Questions) -> None:
        """Tells which content these questions have; is kept when their outcomes are recorded.

        Args:
            content: A key that is equal for photos with the same bytes, the same texts and the same questions.
            questions: Whose outcomes are recorded next.
        """
        self._connection.execute("INSERT OR REPLACE INTO contents VALUES (?, ?)", (content, questions.image))

    def scored_rows(self) -> Iterator[ScoredRow]:
        """All rows in the order of the input, once every question has its outcome."""
        query = """SELECT row_index, image, entity, fault, outcome, error
                   FROM rows LEFT JOIN answers USING (image, entity, about) ORDER BY position"""
        for key, image, entity, fault, answer, error in self._connection.execute(query):
            row = Row(key.split(KEY_SEPARATOR)[0], image, entity, fault=fault)
            yield ScoredRow(row, Outcome(None, fault) if fault else Outcome(json.loads(answer), error))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        has_answers = self._connection.execute("SELECT EXISTS (SELECT * FROM answers)").fetchone()[0]
        self._connection.close()
        if kind is None or not has_answers:
            self._path.unlink()


OPEN_QUESTIONS = (
    "SELECT image, entity, about FROM rows WHERE fault = '' EXCEPT SELECT image, entity, about FROM answers"
)


def about_text(about: Mapping[str, str]) -> str:
    """Equal for equal mappings; empty for one without values."""
    given = {name: value for name, value in about.items() if value}
    return json.dumps(given, sort_keys=True) if given else ""
