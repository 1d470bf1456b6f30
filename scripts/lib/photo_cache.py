"""Downloaded photos on disk, for as many processes as like."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diskcache

from resformer.scripts.lib.external_error import ExternalError

__all__ = ["CachedPhoto", "PhotoCache", "PhotoCacheError"]


class PhotoCacheError(ExternalError):
    """The folder of the cache cannot be read or written; the message says why."""


@dataclass(frozen=True)
class CachedPhoto:
    """A photo as its server sent it.

    Attributes:
        etag, last_modified: What the server called this version of it; empty where it did not say.
        checked: When the server last confirmed it, in seconds since 1970.
    """

    data: bytes
    etag: str
    last_modified: str
    checked: float

    @property
    def age(self) -> float:
        """Seconds since the server last confirmed it."""
        return time.time() - self.checked


class _BytesDisk(diskcache.Disk):
    """Reads what was stored as bytes, and no pickle, which could hold code of whoever can write into the folder."""

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        if mode == diskcache.core.MODE_PICKLE:
            raise PhotoCacheError(f"{self._directory} holds what no cache of photos holds; delete it")
        return super().fetch(mode, filename, value, read)


class PhotoCache:
    """Photos by link, in a folder. Safe to use from several threads and processes at once.

    Args:
        folder: Created where it is missing.
        max_bytes: Where the photos have more, those that were not used for the longest time are removed.

    Raises:
        PhotoCacheError: The folder cannot be used; so do all methods.
    """

    def __init__(self, folder: Path, max_bytes: int):
        self.folder, self._max_bytes = folder, max_bytes
        with self._usable():
            self._cache = diskcache.Cache(
                str(folder),
                timeout=60,
                disk=_BytesDisk,
                size_limit=max_bytes,
                eviction_policy="least-recently-used",
                disk_min_file_size=0,  # each photo is a file
            )

    def get(self, link: str) -> CachedPhoto | None:
        """The photo of a link, if it is there."""
        with self._usable():
            data, tag = self._cache.get(link, tag=True)
        if data is None:
            return None
        about = json.loads(tag)
        # A machine that loses power may leave a file shorter than it was.
        if len(data) != about["size"]:
            return None
        return CachedPhoto(data, about["etag"], about["last_modified"], about["checked"])

    def put(self, link: str, photo: CachedPhoto) -> None:
        """Keeps the photo of a link."""
        about = {
            "etag": photo.etag,
            "last_modified": photo.last_modified,
            "checked": photo.checked,
            "size": len(photo.data),
        }
        with self._usable():
            self._cache.set(link, photo.data, tag=json.dumps(about))

    def remove(self, link: str) -> None:
        """Removes the photo of a link, if it is there."""
        with self._usable():
            self._cache.delete(link)

    def file(self, link: str) -> Path | None:
        """The file of a link's photo, which may be removed at any time; None where there is none."""
        with self._usable():
            file = self._cache.get(link, read=True)
        if file is None:
            return None
        with file:
            return Path(file.name)

    def __reduce__(self) -> tuple[object, ...]:
        return PhotoCache, (self.folder, self._max_bytes)

    def close(self) -> None:
        """Ends the connections of this thread to the data base."""
        self._cache.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, diskcache.Timeout) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or "it is locked"
            raise PhotoCacheError(f"cannot use the cache {self.folder}: {reason}") from error
