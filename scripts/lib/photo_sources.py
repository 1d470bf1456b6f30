"""Sources of the photos of a scoring run: a folder, or downloads."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from resformer.scripts.lib.downloads import PLACEHOLDER, Downloader, DownloadError, file_name

__all__ = ["PhotoError", "PhotoSource", "downloaded", "in_folder"]

PhotoSource = Callable[[str], bytes]
"""From the name or link of a photo in the table to the bytes of its file; raises PhotoError."""


class PhotoError(Exception):
    """This photo cannot be scored, others can; the message says why."""


def in_folder(folder: Path) -> PhotoSource:
    """Photos that lie in a folder, each under the last part of its link."""

    def photo(image: str) -> bytes:
        try:
            path = folder / file_name(image)
            data = path.read_bytes()
        except ValueError as error:
            raise PhotoError(str(error)) from error
        except OSError as error:
            raise PhotoError(f"cannot read {path}: {error.strerror}") from error
        if data == PLACEHOLDER:
            raise PhotoError(f"{path} is a placeholder; download it again")
        return data

    return photo


def downloaded(cache: Path, downloader: Downloader) -> PhotoSource:
    """Photos that are downloaded when they are asked for, and kept in the folder `cache`."""
    cache.mkdir(parents=True, exist_ok=True)

    def photo(image: str) -> bytes:
        # Not under the link's last part, which links to different photos may share.
        path = cache / sha256(image.encode()).hexdigest()[:32]
        try:
            downloader.fetch(image, path)
        except DownloadError as error:
            raise PhotoError(f"cannot download: {error}") from error
        return path.read_bytes()

    return photo
