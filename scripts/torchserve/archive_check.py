"""What an archive must be before anything of it is unpacked or run.

Needs nothing but Python itself, as what starts the server. The check does not say who made the archive; a signature
does, see archive_signature.
"""

import hashlib
import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.torchserve.archive_form import CONFIG, ENTRY, MANIFEST, SUMS, read_sums

__all__ = ["CheckedArchive", "RefusedArchive", "check_archive"]

# A zip without the extension for large files, which the form of our archives does without.
MAX_BYTES = 2**32 - 2
MAX_FILES = 10_000
MAX_NAME_BYTES = 255
# Of the manifest and of the list of hashes, which are read whole.
MAX_LIST_BYTES = 4 * 2**20
# Weights are safetensors alone: nothing of these kinds runs code when it is read, but for the code itself.
SUFFIXES = frozenset({".csv", ".json", ".md", ".py", ".safetensors", ".txt", ".yaml", ".yml"})
# The keys of the manifest's model; others make TorchServe install packages or run other code.
MODEL_KEYS = frozenset({"configFile", "handler", "modelName", "modelVersion"})
MODEL_NAME = "resformer"
END = struct.Struct("<4s4H2LH")
LOCAL = struct.Struct("<4s5H3L2H")
DIRECTORY_ENTRY_BYTES = 46
REGULAR_FILE = 0o100644
# Version 2.0 made it and can read it; first volume, no further attributes.
PLAIN = (zipfile.DEFAULT_VERSION, zipfile.DEFAULT_VERSION, 0, 0, 0)
UTF8_NAME = 0x800
CHUNK = 1 << 20


class RefusedArchive(ExternalError):
    """An archive is not served, and why."""


@dataclass(frozen=True)
class CheckedArchive:
    """What an archive says of itself, once it is checked.

    Attributes:
        path: The file.
        sha256: Of the file, hexadecimal.
        version: Of the model.
        sums: SHA-256 of each file in it but the list of these, by name.
    """

    path: Path
    sha256: str
    version: str
    sums: Mapping[str, str]


def check_archive(path: Path) -> CheckedArchive:
    """Checks form, names, sizes, manifest and hashes of an archive; unpacks and runs nothing.

    Only the form that `resformer archive` writes is let through: files one after another, stored, in no other order
    than the directory's, with nothing before, between and behind them. So there are no bombs, and TorchServe, which
    reads a zip from its front, finds the files that were checked here.

    Raises:
        RefusedArchive: It is not there, it is not of this form, or a file is not the one that the list of hashes names.
        OSError: It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            _check_end(file)
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
                for entry in entries:
                    _check_entry(entry)
                _check_names([entry.filename for entry in entries])
                _check_layout(file, entries, archive.start_dir)
                found = {entry.filename: _digest(archive, entry) for entry in entries}
                version = _check_manifest(_text(archive, MANIFEST))
                sums = read_sums(_text(archive, SUMS))
            del found[SUMS]
            _check_sums(found, sums)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise RefusedArchive(f"no archive at {path}; build it: `resformer archive --out {path}`") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise RefusedArchive(f"{path} is refused: {error}; name an archive that `resformer archive` built") from error
    return CheckedArchive(path, digest, version, sums)


def _check_end(file: IO[bytes]) -> None:
    """Bounds what reading the directory costs, and refuses a zip that begins or ends elsewhere than the file."""
    size = file.seek(0, 2)
    if size < END.size:
        raise ValueError("it is no zip")
    if size > MAX_BYTES:
        raise ValueError(f"it has {size} bytes, more than {MAX_BYTES}")
    file.seek(size - END.size)
    signature, disk, directory_disk, count, total, length, start, comment = END.unpack(file.read(END.size))
    if signature != b"PK\5\6":
        raise ValueError("it is no zip, or something follows the zip in it")
    if disk or directory_disk or comment or count != total or start + length != size - END.size:
        raise ValueError("its directory does not end where the file does")
    if count > MAX_FILES or length > count * (DIRECTORY_ENTRY_BYTES + MAX_NAME_BYTES):
        raise ValueError(f"its directory says {count} files in {length} bytes; there may be {MAX_FILES} files")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    path = PurePosixPath(name)
    is_plain = name == str(path) and name.isprintable() and "\\" not in name and ":" not in name
    if not is_plain or path.is_absolute() or ".." in path.parts or name != entry.filename:
        raise ValueError(f"the name {name[:100]!r} could lead out of its folder")
    if path.suffix not in SUFFIXES and name != SUMS:
        raise ValueError(f"{name} is of no kind that an archive holds: {', '.join(sorted(SUFFIXES))}")
    if entry.create_system != 3 or entry.external_attr != REGULAR_FILE << 16:
        raise ValueError(f"{name} is a link or another special file")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise ValueError(f"{name} is compressed")
    versions = (entry.create_version, entry.extract_version, entry.reserved, entry.volume, entry.internal_attr)
    if entry.flag_bits & ~UTF8_NAME or entry.extra or entry.comment or versions != PLAIN:
        raise ValueError(f"{name} is encrypted, or has fields that other programs may read otherwise")


def _check_names(names: list[str]) -> None:
    unique = set(names)
    if len(unique) != len(names):
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is in it twice")
    for name in names:
        if folder := next((str(parent) for parent in PurePosixPath(name).parents if str(parent) in unique), None):
            raise ValueError(f"{folder} is both a file and a folder")
    missing = {ENTRY, CONFIG, MANIFEST, SUMS} - unique
    if missing:
        raise ValueError(f"{', '.join(sorted(missing))} is missing")


def _check_layout(file: IO[bytes], entries: list[zipfile.ZipInfo], directory: int) -> None:
    """Compares the header before each file with the directory, and where each begins with where the last one ends."""
    position = 0
    for entry in entries:
        file.seek(position)
        header = file.read(LOCAL.size)
        if entry.header_offset != position or len(header) < LOCAL.size:
            raise ValueError(f"{entry.filename} does not follow the file before it")
        name_bytes = len(entry.filename.encode())
        year, month, day, hour, minute, second = entry.date_time
        expected = LOCAL.pack(
            *(b"PK\3\4", zipfile.DEFAULT_VERSION, entry.flag_bits, zipfile.ZIP_STORED),
            *(hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day),
            *(entry.CRC, entry.file_size, entry.file_size, name_bytes, 0),
        )
        if header != expected or file.read(name_bytes) != entry.filename.encode():
            raise ValueError(f"the header of {entry.filename} says something else than the directory")
        position += LOCAL.size + name_bytes + entry.file_size
    if position != directory:
        raise ValueError("something lies between its files and its directory")


def _digest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with archive.open(entry) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _text(archive: zipfile.ZipFile, name: str) -> str:
    if archive.getinfo(name).file_size > MAX_LIST_BYTES:
        raise ValueError(f"{name} has more than {MAX_LIST_BYTES} bytes")
    return archive.read(name).decode("utf-8")


def _check_manifest(text: str) -> str:
    """Returns the version of the model."""
    try:
        manifest: Any = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{MANIFEST} is no JSON") from error
    model = manifest.get("model") if isinstance(manifest, dict) else None
    if not isinstance(model, dict):
        raise ValueError(f"{MANIFEST} names no model")
    expected = {"modelName": MODEL_NAME, "handler": ENTRY, "configFile": CONFIG}
    wrong = [key for key, value in expected.items() if model.get(key) != value] + sorted(model.keys() - MODEL_KEYS)
    if wrong:
        raise ValueError(f"{MANIFEST} has another {wrong[0]} than this project's archives")
    return str(model.get("modelVersion", ""))


def _check_sums(found: Mapping[str, str], sums: Mapping[str, str]) -> None:
    if unlisted := sorted(found.keys() - sums.keys()):
        raise ValueError(f"{unlisted[0]} is not in {SUMS}")
    if missing := sorted(sums.keys() - found.keys()):
        raise ValueError(f"{missing[0]}, which {SUMS} lists, is missing")
    if changed := [name for name in sorted(found) if found[name] != sums[name]]:
        raise ValueError(f"{changed[0]} is not the file that {SUMS} lists")
