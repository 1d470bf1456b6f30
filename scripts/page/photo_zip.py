"""A zip of photos from a stranger, unpacked without trusting it."""

import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from resformer.model.files.photo_names import SUFFIXES
from resformer.scripts.page.photo_file import MAX_PHOTO_BYTES

__all__ = ["PhotoZipError", "UnpackedZip", "unpack_photos"]

MAX_FILES = 5_000
MAX_BYTES = 2_000_000_000
TABLE_SUFFIXES = (".csv", ".tsv")
# What macOS and Windows add to a folder.
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
CHUNK = 1 << 20
ENCRYPTED = 0x1
# What zipfile raises about a file; NotImplementedError where another program made it in a way that it does not read.
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


class PhotoZipError(Exception):
    """The file cannot be used as a zip of photos; the message is for the user of the page."""


@dataclass(frozen=True)
class UnpackedZip:
    """What a zip had.

    Attributes:
        photos: Paths in the folder, in the order of the zip.
        tables: Likewise.
        left_out: How many files are neither.
    """

    photos: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    left_out: int = 0


def unpack_photos(
    file: Path,
    folder: Path,
    *,
    max_files: int = MAX_FILES,
    max_bytes: int = MAX_BYTES,
    max_photo: int = MAX_PHOTO_BYTES,
) -> UnpackedZip:
    """Unpacks the photos and tables of a zip; nothing is written outside of the folder.

    Args:
        file: The zip.
        folder: Where to; is made.
        max_files: In the zip.
        max_bytes: Of all files, unpacked.
        max_photo: Of one file, unpacked.

    Raises:
        PhotoZipError: It is no zip, is damaged or encrypted, holds too much, or a file's name leaves the folder.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
            _check(entries, max_files, max_bytes, max_photo)
            folder.mkdir(parents=True, exist_ok=True)
            unpacked = UnpackedZip(left_out=sum(not _suffix(entry) for entry in entries))
            for entry in entries:
                if suffix := _suffix(entry):
                    _unpack(archive, entry, folder, max_photo)
                    (unpacked.tables if suffix in TABLE_SUFFIXES else unpacked.photos).append(entry.filename)
    except DAMAGE as error:
        raise PhotoZipError(f"{file.name} cannot be unpacked: {error}. Make the zip again.") from error
    if not unpacked.photos and not unpacked.tables:
        raise PhotoZipError(f"{file.name} has no photos; put files such as photo.jpg or photo.png into it.")
    return unpacked


def _is_litter(name: str) -> bool:
    return any(part in LITTER or part.startswith("._") for part in PurePosixPath(name).parts)


def _suffix(entry: zipfile.ZipInfo) -> str:
    """The suffix of a photo or a table; "" for other files."""
    suffix = PurePosixPath(entry.filename).suffix.lower()
    return suffix if suffix in (*SUFFIXES, *TABLE_SUFFIXES) else ""


def _check(entries: list[zipfile.ZipInfo], max_files: int, max_bytes: int, max_photo: int) -> None:
    if len(entries) > max_files:
        raise PhotoZipError(f"The zip has {len(entries)} files; at most {max_files} are taken. Make several zips.")
    if (total := sum(entry.file_size for entry in entries)) > max_bytes:
        raise PhotoZipError(
            f"Unpacked the zip has {total / 1e6:,.0f} MB; at most {max_bytes / 1e6:,.0f} are taken. Make several zips."
        )
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
            raise PhotoZipError(f"The zip has a file {name[:100]!r}, which lies outside of it. Make the zip again.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise PhotoZipError(f"The zip has a link, {name[:100]!r}; put the photo itself into it.")
        if entry.flag_bits & ENCRYPTED:
            raise PhotoZipError("The zip is encrypted. Make one without a password.")
        if entry.file_size > max_photo:
            raise PhotoZipError(
                f"{name[:100]} has {entry.file_size / 1e6:,.0f} MB; a photo may have {max_photo / 1e6:,.0f}."
            )
        if name in seen:
            raise PhotoZipError(f"The zip has two files {name[:100]!r}. Give them different names.")
        seen.add(name)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, max_photo: int) -> None:
    path = folder / entry.filename
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as target:
            written = 0
            # What the zip says about sizes may be wrong.
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > max_photo:
                    raise PhotoZipError(f"{entry.filename[:100]} is larger than the zip says. Make the zip again.")
                target.write(chunk)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PhotoZipError(f"{entry.filename[:100]} cannot be unpacked: {reason}.") from error
