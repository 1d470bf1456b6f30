"""Files on this machine, and files that a URL names: `s3://`, `gs://`, `https://` and whatever else fsspec knows."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Literal, Self
from urllib.parse import urlsplit

from resformer.model.files.whole_file import UnusableFile, refuse_overwriting, saved_whole

__all__ = [
    "OBJECT_STORES",
    "Location",
    "RemoteFile",
    "beside",
    "delete_at",
    "fingerprint",
    "location",
    "refuse_overwriting_any",
    "written_at",
]

SCHEME = "://"
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
READ_ONLY = ("http://", "https://")
OBJECT_STORES = tuple(f"{scheme}{SCHEME}" for scheme in EXTRAS)
"""How the URLs of object stores begin."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that a URL names; the parts of its name are those of a Path.

    Can be pickled: each process opens connections of its own. A process that was forked behind the first use of a
    remote file must not use one; start workers with `spawn`.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of the URL, without its query."""
        return PurePosixPath(self._path).name

    @property
    def suffix(self) -> str:
        """The last suffix of the name."""
        return PurePosixPath(self._path).suffix

    @property
    def _path(self) -> str:
        # Only a web address has a query; elsewhere a question mark is a letter of the name.
        return urlsplit(self.url).path if self.url.startswith(READ_ONLY) else self.url.partition(SCHEME)[2]

    def with_name(self, name: str) -> Self:
        """The file of this name beside it."""
        return type(self)(f"{self.url.rpartition('/')[0]}/{name}")

    def with_suffix(self, suffix: str) -> Self:
        """The file beside it that has this suffix in place of its own."""
        return self.with_name(str(PurePosixPath(self.name).with_suffix(suffix)))

    def open(self, mode: Literal["rb"] = "rb", /) -> BinaryIO:
        """The bytes, which can be sought where the server gives ranges.

        Raises:
            UnusableFile: It cannot be read, also later while it is read.
        """
        with self._reading():
            system, path = self._system()
            return io.BufferedReader(_Checked(system.open(path, mode), self))

    def read_bytes(self, start: int | None = None, end: int | None = None) -> bytes:
        """All bytes, or those from `start` to before `end`.

        Raises:
            UnusableFile: It cannot be read.
        """
        with self._reading():
            system, path = self._system()
            data: bytes = system.cat_file(path, start=start, end=end)
            return data

    def exists(self) -> bool:
        """Whether it is there."""
        with self._reading():
            system, path = self._system()
            return bool(system.exists(path))

    def fingerprint(self) -> str:
        """Differs for another content: what the server says of the file, which has its size, time or checksum."""
        with self._reading():
            system, path = self._system()
            info = system.info(path)
            return str([info.get(name) for name in ("size", "ETag", "mtime", "LastModified")])

    def found(self) -> Iterator[tuple[str, Self]]:
        """The files below this folder, each with its path in it; of a pattern with `*`, the files that it matches."""
        with self._reading():
            system, path = self._system()
            paths = sorted(system.glob(path) if "*" in path else system.find(path))
        root = "" if "*" in path else path.rstrip("/") + "/"
        for each in paths:
            yield each.removeprefix(root), type(self)(system.unstrip_protocol(each))

    def upload(self, path: Path) -> None:
        """Makes it of a file of this machine; readers see the old file, or none, until all of it is there.

        Raises:
            UnusableFile: It cannot be written.
        """
        with self._reading("write"):
            system, remote = self._system()
            system.put_file(str(path), remote)

    def unlink(self) -> None:
        """Deletes it where it is there."""
        with self._reading("delete"):
            system, path = self._system()
            if system.exists(path):
                system.rm_file(path)

    def _system(self) -> tuple[Any, str]:
        """The file system, and the path in it."""
        import fsspec

        scheme = self.url.partition(SCHEME)[0]
        try:
            system, path = fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            extra = EXTRAS.get(scheme)
            advice = f"`pip install 'resformer[{extra}]'`" if extra else str(error)
            raise UnusableFile(f"{self.url}: {scheme}{SCHEME} needs a package; {advice}") from error
        except ValueError as error:
            raise UnusableFile(
                f"{self.url}: {scheme}{SCHEME} is unknown; take a path, s3://, gs:// or https://"
            ) from error
        # Listings are kept otherwise, and a file that was just made is not there.
        system.invalidate_cache()
        return system, path

    @contextmanager
    def _reading(self, verb: str = "read") -> Iterator[None]:
        try:
            yield
        except UnusableFile:
            raise
        except Exception as error:  # those of a driver have no common type
            raise UnusableFile(f"cannot {verb} {self.url}: {_reason(error)}") from error


class _Checked(io.RawIOBase):
    """A file of fsspec whose errors name the file."""

    def __init__(self, file: Any, remote: RemoteFile):
        self._file, self._remote = file, remote

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def readinto(self, buffer: Any, /) -> int:
        with self._remote._reading():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with self._remote._reading():
            position: int = self._file.seek(offset, whence)
            return position

    def tell(self) -> int:
        position: int = self._file.tell()
        return position

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


Location = Path | RemoteFile


def location(text: str | Path | RemoteFile) -> Location:
    """The file that a path or a URL names."""
    if isinstance(text, RemoteFile):
        return text
    return RemoteFile(str(text)) if isinstance(text, str) and SCHEME in text else Path(text)


def beside(place: Location, name: str) -> Path:
    """A file of this machine beside another one; for a remote one, in the working folder."""
    return place.with_name(name) if isinstance(place, Path) else Path(name)


@contextmanager
def written_at(place: Location, mode: str = "w") -> Iterator[IO[Any]]:
    """As written_whole, which see; a remote file is written in the working folder, and uploaded when all is written.

    Raises:
        UnusableFile: It cannot be uploaded.
    """
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    if isinstance(place, Path):
        with saved_whole(place) as part, open(part, mode, **text) as file:  # type: ignore[call-overload]
            yield file
        return
    if place.url.startswith(READ_ONLY):
        raise UnusableFile(f"{place} cannot be written; name a path, s3:// or gs://")
    with _temporary(place.name) as part:
        with open(part, mode, **text) as file:  # type: ignore[call-overload]
            yield file
        place.upload(part)


@contextmanager
def _temporary(name: str) -> Iterator[Path]:
    part = Path(f".{os.getpid()}.{name}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def delete_at(place: Location) -> None:
    """Deletes a file where it is there."""
    if isinstance(place, Path):
        place.unlink(missing_ok=True)
    else:
        place.unlink()


def fingerprint(place: Location) -> str:
    """Differs, but for chance, where the content of a file has changed.

    Raises:
        UnusableFile: It cannot be read.
    """
    if not isinstance(place, Path):
        return place.fingerprint()
    try:
        found = place.stat()
    except OSError as error:
        raise UnusableFile(f"cannot read {place}: {error.strerror}") from error
    return f"{found.st_size} {found.st_mtime_ns}"


def refuse_overwriting_any(inputs: Sequence[Location | None], outputs: Sequence[Location | None]) -> None:
    """As refuse_overwriting, also for remote files, which are the same where their URLs are.

    Raises:
        UnusableFile: An output is one of the inputs.
    """
    refuse_overwriting(*([place for place in places if isinstance(place, Path)] for places in (inputs, outputs)))
    for place in outputs:
        if isinstance(place, RemoteFile) and place in inputs:
            raise UnusableFile(f"{place} is both read and written; name another file for the output")


def _reason(error: Exception) -> str:
    known = {FileNotFoundError: "no such file", PermissionError: "access is denied"}
    for kind, reason in known.items():
        if isinstance(error, kind):
            return reason
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
