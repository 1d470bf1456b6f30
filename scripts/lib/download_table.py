"""The photos of a table as files of a folder; a placeholder stands for what cannot be downloaded."""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from tqdm import tqdm

from resformer.model.files.photo_names import IMAGE_COLUMNS, file_name, image_cell, link_identity
from resformer.model.files.tables import read_table
from resformer.model.files.whole_file import written_whole
from resformer.scripts.lib.downloads import Downloader, DownloadError, has_image_header

__all__ = ["PLACEHOLDER", "DownloadSummary", "download_table"]


def _black() -> bytes:
    # BMP, whatever the file's name: its bytes are the same with every version of Pillow, so that it is recognised.
    buffer = BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "BMP")
    return buffer.getvalue()


PLACEHOLDER = _black()
"""The bytes that stand for a photo which could not be downloaded."""


class DownloadSummary(NamedTuple):
    """How many links there are, and how many of them failed."""

    links: int
    failed: int


def download_table(table: Path, folder: Path, downloader: Downloader, *, limit: int | None = None) -> DownloadSummary:
    """Downloads every link of the column image_link, or image, into `folder`, under the link's last part.

    A photo that is there already is kept, so a run can be repeated. A failed photo is named on stderr and replaced
    by a small black placeholder; the next run tries it again. Of links with one file name the first is used.

    Args:
        limit: Links at the table's beginning that are downloaded; None downloads all.

    Raises:
        UnusableFile: The table cannot be used.
        PhotoCacheError: The cache of the downloader cannot be used.
    """
    rows = read_table(table, "|".join(IMAGE_COLUMNS))
    links = list(dict.fromkeys(image_cell(row) for row in rows))[:limit]
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for link, reason in tqdm(_outcomes(links, folder, downloader), total=len(links), unit="photo", disable=None):
        if reason:
            failed += 1
            tqdm.write(f"FAILED {link or '(an empty cell)'}: {reason}", file=sys.stderr)
    return DownloadSummary(len(links), failed)


def _outcomes(links: list[str], folder: Path, downloader: Downloader) -> Iterator[tuple[str, str]]:
    """Yields each link with what went wrong, "" where nothing did; the order is that in which they are done."""
    paths: dict[str, Path] = {}
    taken: dict[str, str] = {}
    for link in links:
        try:
            name = file_name(link)
        except ValueError as error:
            yield link, str(error)
            continue
        if link_identity(taken.setdefault(name, link)) != link_identity(link):
            yield link, f"its file name is that of {taken[name]}; put one of them into another folder"
        elif _is_photo(folder / name):
            yield link, ""
        else:
            paths[link] = folder / name
    for link, photo in downloader.fetch_all(paths):
        is_photo = not isinstance(photo, DownloadError)
        with written_whole(paths[link], "wb") as file:
            file.write(photo if is_photo else PLACEHOLDER)
        yield link, "" if is_photo else str(photo)


def _is_photo(path: Path) -> bool:
    """Whether the file is there and neither a placeholder nor what a server sent in place of a photo."""
    if not path.exists():
        return False
    data = path.read_bytes()
    return data != PLACEHOLDER and has_image_header(data)
