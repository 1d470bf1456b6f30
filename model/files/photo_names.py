"""The photos that a table names: by a file's name, by a path, by a link or by a number."""

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from resformer.model.files.cell_text import integer_text
from resformer.model.files.tables import Row
from resformer.model.files.whole_file import UnusableFile

__all__ = [
    "IMAGE_COLUMNS",
    "SUFFIXES",
    "PhotoFolder",
    "SharedPhotoName",
    "TablePhotos",
    "file_name",
    "file_names",
    "image_cell",
    "link_identity",
]

IMAGE_COLUMNS = ("image_link", "image")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".jfif")
MAX_NAME = 255  # bytes
MAX_LOOKED_FOR = 4


class SharedPhotoName(UnusableFile):
    """Two links have one file name, so that one photo would stand for both."""


def image_cell(row: Mapping[str, str]) -> str:
    """What a row of questions names as its photo: the first of IMAGE_COLUMNS that is not empty."""
    return next((cell for name in IMAGE_COLUMNS if (cell := row.get(name, "").strip())), "")


def file_name(link: str) -> str:
    r"""The last part of a link, without its query, or of a path.

    >>> file_name("https://example.com/images/I/61ab.jpg?size=large"), file_name(r"C:\photos\b.jpg")
    ('61ab.jpg', 'b.jpg')

    Raises:
        ValueError: It has no last part that can be a file's name.
    """
    path = urlsplit(link).path if "://" in link else link
    name = path.rpartition("/" if "/" in path else "\\")[2]
    if name in ("", ".", "..") or "\0" in name or len(name.encode()) > MAX_NAME:
        raise ValueError(f"the last part of {link[:200]!r} is not a file's name")
    return name


def link_identity(link: str) -> str:
    """Equal for what names one photo: suffixes do not count, nor the query behind a photo's name."""
    if "://" not in link:
        path = link.replace("\\", "/").removeprefix("./")
        return integer_text(_without_suffix(path))
    try:
        parts = urlsplit(link)
    except ValueError:  # no link
        return link
    stem = _without_suffix(parts.path)
    return f"{parts.netloc}{stem}" + (f"?{parts.query}" if stem == parts.path else "")


def _without_suffix(path: str) -> str:
    return next((path[: -len(suffix)] for suffix in SUFFIXES if path.lower().endswith(suffix)), path)


class PhotoFolder:
    """A folder of photos, in which the cells of a table are looked up."""

    def __init__(self, folder: Path):
        self.folder = folder

    def find(self, cell: str) -> str | None:
        """The file that a cell names, as its path in the folder, see file_names; None where there is none."""
        return next((name for name in file_names(cell) if self._is_file(name)), None)

    def looked_for(self, cell: str) -> str:
        """The names under which a cell's photo is not there, for an error."""
        names = list(file_names(cell))
        more = ", ..." if len(names) > MAX_LOOKED_FOR else ""
        return f"no {', '.join(names[:MAX_LOOKED_FOR])}{more}" if names else "the cell names no file"

    def _is_file(self, name: str) -> bool:
        try:
            return (self.folder / name).is_file()
        except (OSError, ValueError):  # a name that no file can have
            return False


def file_names(cell: str) -> Iterator[str]:
    """The names that the file of a cell may have, the likeliest first.

    A cell names a file by its path in the folder or its name, with or without the suffix of a photo. Of a link, the
    last part counts, percent-encoded or not; of a number, its digits (`1001.0` is `1001`).
    """
    cell = cell.strip()
    try:
        last = file_name(cell)
    except ValueError:
        return
    path = cell.replace("\\", "/")
    inside = "://" not in cell and not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
    bases = [cell, path] if inside else []
    bases += [last, unquote(last) if "/" not in unquote(last) else last, integer_text(last)]
    bases += [unicodedata.normalize(form, base) for form in ("NFC", "NFD") for base in bases]
    bases = list(dict.fromkeys(bases))
    yield from bases
    for base in bases:
        if not base.lower().endswith(SUFFIXES):
            yield from (base + suffix for suffix in SUFFIXES)
            yield from (base + suffix.upper() for suffix in SUFFIXES)


class TablePhotos:
    """The photo of each row of a table.

    Args:
        table: the file, for errors.
        folder: of the photos; None: they are elsewhere, and a row's photo has the last part of its link as name.

    Attributes:
        missing: rows whose photo is not there.
        first_missing: what was looked for first of these, and its row.
    """

    def __init__(self, table: Path, folder: Path | None = None):
        self._table, self._folder = table, PhotoFolder(folder) if folder else None
        self._first: dict[str, tuple[str, int]] = {}
        self._rows = self.missing = 0
        self.first_missing = ""

    def name(self, row: Row, cell: str, column: str = "") -> str | None:
        """The path in the folder of the photo that a cell of the row names; None, and counted: it is not there.

        Raises:
            SharedPhotoName: Another row's link has the same file name.
            UnusableFile: The cell names no file, and there is no folder.
        """
        cell = cell.strip()
        self._rows += 1
        name = self._folder.find(cell) if self._folder else _last_part(row, cell, column)
        if name is None:
            assert self._folder is not None
            where = row.where(column).removeprefix(f"{row.table}, ")
            self.first_missing = self.first_missing or f"{self._folder.looked_for(cell)} ({where})"
            self.missing += 1
            return None
        link, line = self._first.setdefault(name, (cell, row.line))
        if link_identity(link) != link_identity(cell):
            raise SharedPhotoName(
                f"{row.where(column)}: {cell} has the file name of {link} in line {line}, so both would get one photo; "
                "rename a file or delete a row"
            )
        return name

    def refuse_missing(self) -> None:
        """Raises UnusableFile where a photo is missing."""
        if self.missing:
            assert self._folder is not None
            raise UnusableFile(
                f"{self._folder.folder} lacks {self.missing} of the {self._rows} photos of {self._table}: "
                f"{self.first_missing}; add them, delete their rows, or name another folder or column"
            )


def _last_part(row: Row, cell: str, column: str) -> str:
    try:
        return file_name(cell)
    except ValueError as error:
        raise UnusableFile(f"{row.where(column)}: {error}") from error
