"""Photos that are parts of larger files, or files of an object store, found by name in an index on disk.

The index is an SQLite file: it takes any number of photos, and worker processes read it at once.
"""

import re
import sqlite3
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import quote

from resformer.model.files.photo_names import file_names
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.locations import Location, RemoteFile, location

__all__ = [
    "PhotoIndex",
    "PhotoPlace",
    "PhotoSpool",
    "index_folder",
    "index_shards",
    "is_shards",
    "photo_spool",
    "shards",
]

TABLE = "CREATE TABLE photos (name TEXT, file TEXT, start INTEGER, size INTEGER)"
NAMES = "CREATE INDEX IF NOT EXISTS photos_by_name ON photos (name)"
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
BLOCK = 512  # bytes of a tar header


@dataclass(frozen=True)
class PhotoPlace:
    """Where the bytes of a photo are.

    Attributes:
        file: A path or URL.
        start: The first byte; None takes the whole file.
        size: Bytes.
    """

    file: str
    start: int | None
    size: int

    def read(self) -> bytes:
        """The bytes.

        Raises:
            UnusableFile: A remote file cannot be read.
            OSError: A file of this machine cannot be read.
        """
        place = location(self.file)
        if self.start is None:
            return place.read_bytes()
        if isinstance(place, RemoteFile):
            return place.read_bytes(self.start, self.start + self.size)
        with open(place, "rb") as file:
            file.seek(self.start)
            return file.read(self.size)


@dataclass(frozen=True)
class PhotoIndex:
    """The finished index; can be pickled, and used by every process that sees its file.

    Attributes:
        path: Its file.
    """

    path: Path

    def find(self, cell: str) -> str | None:
        """The photo that a cell names by file_names, equal for equal photos; None where there is none, or several."""
        try:
            place = self.place(cell)
        except UnusableFile:  # it is told where the photo is read
            return None
        return place and f"{place.file} {place.start}"

    def place(self, cell: str) -> PhotoPlace | None:
        """Where the photo is that a cell names by file_names; None where it is nowhere.

        Raises:
            UnusableFile: Several files have a photo of this name.
        """
        uri = f"file:{quote(str(self.path.resolve()))}?mode=ro&immutable=1"
        # A connection belongs to a thread, and opening one takes less time than any photo.
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            for name in file_names(cell):
                places = connection.execute("SELECT file, start, size FROM photos WHERE name = ? LIMIT 2", (name,))
                match [PhotoPlace(*place) for place in places]:
                    case [place]:
                        return place
                    case [place, other]:
                        raise UnusableFile(f"{name} is in {place.file} and in {other.file}; name photos differently")
        return None


@contextmanager
def _new_index(path: Path) -> Iterator[sqlite3.Connection]:
    """An empty index to be filled; it replaces the file at `path`."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(TABLE)
        yield connection
        connection.execute(NAMES)
        connection.commit()


def index_shards(path: Path, files: Iterable[Location]) -> PhotoIndex:
    """Makes the index of the members of tar files, which are read through once.

    A member is found by its name, and by that behind the name of its file: `0007.jpg`, `shard-01.tar/0007.jpg`.

    Raises:
        UnusableFile: A file cannot be read, is no tar file or is cut off.
    """
    with _new_index(path) as connection:
        for file in files:
            for member in _members(file):
                name = member.name.removeprefix("./")
                place = (str(file), member.offset_data, member.size)
                rows = [(name, *place), (f"{file.name}/{name}", *place)]
                connection.executemany("INSERT INTO photos VALUES (?, ?, ?, ?)", rows)
    return PhotoIndex(path)


def index_folder(path: Path, folder: RemoteFile) -> PhotoIndex:
    """Makes the index of the files of an object store's folder.

    Raises:
        UnusableFile: It cannot be listed.
    """
    with _new_index(path) as connection:
        rows = ((name, file.url, None, 0) for name, file in folder.found())
        connection.executemany("INSERT INTO photos VALUES (?, ?, ?, ?)", rows)
        if not connection.execute("SELECT EXISTS (SELECT * FROM photos)").fetchone()[0]:
            raise UnusableFile(f"{folder} has no files; name the folder of the photos")
    return PhotoIndex(path)


def is_shards(text: str) -> bool:
    """Whether this names tar files, not a folder."""
    return text.endswith(".tar")


def shards(text: str) -> list[Location]:
    """The tar files of a path or URL with a range of numbers in braces, `{0000..0099}`, or with `*`.

    Raises:
        UnusableFile: There are none.
    """
    if match := RANGE.search(text):
        first, last = match.groups()
        numbers = range(int(first), int(last) + 1)
        texts = [f"{text[: match.start()]}{number:0{len(first)}}{text[match.end() :]}" for number in numbers]
        return [file for each in texts for file in shards(each)]
    place = location(text)
    if "*" not in text:
        return [place]
    if isinstance(place, RemoteFile):
        found: list[Location] = [file for _, file in place.found()]
    else:
        found = sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor))))
    if not found:
        raise UnusableFile(f"{text} matches no file")
    return found


def _members(file: Location) -> Iterator[tarfile.TarInfo]:
    try:
        with file.open("rb") as raw:
            if not raw.seekable():
                raise UnusableFile(f"{file}: the server gives no parts of files; download the file first")
            with tarfile.open(fileobj=raw, mode="r:") as tar:
                while member := tar.next():
                    if member.isreg():
                        yield member
                    tar.members = []  # it keeps all of them otherwise
                _check_end(file, raw, tar.offset)
    except tarfile.TarError as error:
        raise UnusableFile(f"{file} is no usable tar file: {error}; shards are not compressed") from error
    except OSError as error:
        raise UnusableFile(f"cannot read {file}: {error.strerror or error}") from error


def _check_end(file: Location, raw: IO[bytes], offset: int) -> None:
    """Members end at zeros; where they end at anything else, or behind the file's end, others are lost."""
    size = raw.seek(0, 2)
    raw.seek(min(offset, size))
    if offset > size or raw.read(BLOCK).strip(b"\0"):
        raise UnusableFile(f"{file} is damaged or cut off at byte {min(offset, size)}; write it again")


class PhotoSpool:
    """Photos that come one after the other, kept in one file, each content once; see photo_spool."""

    def __init__(self, index: sqlite3.Connection, file: IO[bytes], name: str):
        self._index, self._file, self._name = index, file, name

    def add(self, photo: bytes) -> str:
        """Keeps a photo and returns its name, which is that of its content."""
        name = f"sha256-{sha256(photo).hexdigest()}"
        if not self._index.execute("SELECT EXISTS (SELECT * FROM photos WHERE name = ?)", (name,)).fetchone()[0]:
            row = (name, self._name, self._file.tell(), len(photo))
            self._index.execute("INSERT INTO photos VALUES (?, ?, ?, ?)", row)
            self._file.write(photo)
        return name


@contextmanager
def photo_spool(index: Path, data: Path) -> Iterator[PhotoSpool]:
    """A spool of photos, to be read by a PhotoIndex afterwards.

    Args:
        index: The file of the index.
        data: The file of the photos.
    """
    with _new_index(index) as connection, open(data, "wb") as file:
        connection.execute(NAMES)
        yield PhotoSpool(connection, file, str(data.resolve()))
