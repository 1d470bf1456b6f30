"""Sources of the photos of a scoring run: a folder, or downloads."""

from collections.abc import Callable, Mapping

from resformer.model.files.photo_names import PhotoFolder, file_name
from resformer.scripts.lib.download_table import PLACEHOLDER
from resformer.scripts.lib.downloads import Downloader, DownloadError

__all__ = ["PhotoError", "PhotoSource", "downloaded", "in_folder"]

PhotoSource = Callable[[str], bytes]
"""From the name or link of a photo in the table to the bytes of its file; raises PhotoError."""


class PhotoError(Exception):
    """This photo cannot be scored, others can; the message says why."""


def in_folder(photos: PhotoFolder, same_file: Mapping[str, str]) -> PhotoSource:
    """Photos that lie in a folder, see PhotoFolder.find.

    Args:
        same_file: by link, another link that has the same file, and whose photo it is taken to be.
    """

    def photo(image: str) -> bytes:
        if image in same_file:
            raise PhotoError(
                f"the file name is that of {same_file[image]}, so both would get one photo; give the files different "
                "names, or let them be downloaded"
            )
        try:
            path = photos.folder / (photos.find(image) or file_name(image))
            data = path.read_bytes()
        except ValueError as error:
            raise PhotoError(str(error)) from error
        except OSError as error:
            raise PhotoError(f"cannot read {path}: {error.strerror}") from error
        if data == PLACEHOLDER:
            raise PhotoError(f"{path} is a placeholder; download it again")
        return data

    return photo


def downloaded(downloader: Downloader) -> PhotoSource:
    """Photos that are downloaded when they are asked for."""

    def photo(image: str) -> bytes:
        try:
            return downloader.fetch(image)
        except DownloadError as error:
            raise PhotoError(f"cannot download: {error}") from error

    return photo
