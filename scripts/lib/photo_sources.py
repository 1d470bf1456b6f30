"""Sources of the photos of a scoring run: a folder, an index of larger files, or downloads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from resformer.model.files.photo_names import PhotoFolder, file_name
from resformer.model.files.whole_file import UnusableFile
from resformer.scripts.lib.download_table import PLACEHOLDER
from resformer.scripts.lib.downloads import Downloader, DownloadError
from resformer.scripts.lib.locations import OBJECT_STORES, RemoteFile
from resformer.scripts.lib.packed_photos import PhotoIndex

__all__ = ["DownloadedPhotos", "FolderPhotos", "IndexedPhotos", "PhotoError", "PhotoSource"]

PhotoSource = Callable[[str], bytes]
"""From the name or link of a photo in the table to the bytes of its file; raises PhotoError.

Every source of this module can be pickled, and used in each process that sees the same files.
"""

MAX_BYTES = 20_000_000


class PhotoError(Exception):
    """This photo cannot be scored, others can; the message says why."""


@dataclass(frozen=True)
class FolderPhotos:
    """Photos that lie in a folder, see PhotoFolder.find. Can be pickled.

    Attributes:
        folder: The folder.
        same_file: By link, another link that has the same file, and whose photo it is taken to be.
    """

    folder: PhotoFolder
    same_file: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, image: str) -> bytes:
        """The bytes of a photo; raises PhotoError."""
        _refuse_shared(image, self.same_file)
        try:
            found = self.folder.find(image)
            if found is None:
                file_name(image)  # raises what is wrong with the cell
                raise PhotoError(f"{self.folder.looked_for(image)} in {self.folder.folder}")
            path = self.folder.folder / found
            data = path.read_bytes()
        except ValueError as error:
            raise PhotoError(str(error)) from error
        except OSError as error:
            raise PhotoError(f"cannot read {path}: {error.strerror}") from error
        if data == PLACEHOLDER:
            raise PhotoError(f"{path} is a placeholder; download it again")
        return data


@dataclass(frozen=True)
class IndexedPhotos:
    """Photos in tar shards, in a folder of an object store, or in a column of a table. Can be pickled.

    Attributes:
        index: Where each photo is.
        origin: What the index is of, for errors.
        same_file: As that of FolderPhotos.
    """

    index: PhotoIndex
    origin: str
    same_file: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, image: str) -> bytes:
        """The bytes of a photo; raises PhotoError."""
        _refuse_shared(image, self.same_file)
        try:
            place = self.index.place(image)
            if place is None:
                raise PhotoError(f"{self.origin} has no photo {image!r}" if image else "the row names no photo")
            return place.read()
        except UnusableFile as error:
            raise PhotoError(str(error)) from error
        except OSError as error:
            raise PhotoError(f"cannot read {place.file if place else self.origin}: {error.strerror}") from error


@dataclass(frozen=True)
class DownloadedPhotos:
    """Photos that are downloaded when they are asked for; those of object stores are read there. Can be pickled.

    Attributes:
        downloader: What downloads.
    """

    downloader: Downloader

    def __call__(self, image: str) -> bytes:
        """The bytes of a photo; raises PhotoError."""
        if image.startswith(OBJECT_STORES):
            return _stored(RemoteFile(image))
        if not image.lower().startswith(("http://", "https://")):
            raise PhotoError("not a link; where photos are files, name them too (--photos, on the page a zip)")
        try:
            return self.downloader.fetch(image)
        except DownloadError as error:
            raise PhotoError(f"cannot download: {error}") from error


def _stored(file: RemoteFile) -> bytes:
    try:
        data = file.read_bytes(0, MAX_BYTES + 1)
    except UnusableFile as error:
        raise PhotoError(str(error)) from error
    if len(data) > MAX_BYTES:
        raise PhotoError(f"{file} has more than {MAX_BYTES} bytes")
    return data


def _refuse_shared(image: str, same_file: Mapping[str, str]) -> None:
    if image in same_file:
        raise PhotoError(
            f"the file name is that of {same_file[image]}, so both would get one photo; give the files different "
            "names, or let them be downloaded"
        )
