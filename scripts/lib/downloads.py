"""Photos from links, kept in a folder; a placeholder stands for what cannot be downloaded."""

import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import requests
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from resformer.client.in_order import mapped
from resformer.model.files.photo_names import IMAGE_COLUMNS, file_name, image_cell, link_identity
from resformer.model.files.tables import read_table
from resformer.model.files.whole_file import written_whole
from resformer.scripts.lib.http_retry import RETRIED_STATUS, cause, retrying_session

__all__ = ["PLACEHOLDER", "DownloadError", "Downloader", "download_table"]


def _black() -> bytes:
    # BMP, whatever the file's name: its bytes are the same with every version of Pillow, so that it is recognised.
    buffer = BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "BMP")
    return buffer.getvalue()


PLACEHOLDER = _black()
"""The bytes that stand for a photo which could not be downloaded."""


class DownloadError(Exception):
    """A photo cannot be downloaded; the message gives the reason."""


class Downloader:
    """Fetches photos over http and https; safe to use from several threads.

    Args:
        threads: How many connections are kept open.
        attempts: How often a link is tried.
        wait: See retrying_session.
        timeout: Seconds without a sign from the server after which an attempt has failed.
        max_bytes: Larger files are refused.
    """

    def __init__(
        self,
        *,
        threads: int = 8,
        attempts: int = 4,
        wait: float = 0.5,
        timeout: float = 20.0,
        max_bytes: int = 20_000_000,
    ):
        self._attempts, self._timeout, self._max_bytes = attempts, timeout, max_bytes
        self._session = retrying_session(attempts=attempts, wait=wait, connections=threads)

    def fetch(self, link: str, path: Path) -> None:
        """Makes the file `path` from `link`, unless a photo is there that is no placeholder.

        Raises:
            DownloadError: The photo cannot be downloaded; `path` is as it was.
        """
        if _is_photo(path):
            return
        if not link.lower().startswith(("http://", "https://")):
            raise DownloadError("not an http or https link")
        data = self._get(link)
        if not _has_image_header(data):
            raise DownloadError("the server sent no photo")
        with written_whole(path, "wb") as file:
            file.write(data)

    def _get(self, link: str) -> bytes:
        failure = ""
        # The session tries again until an answer begins; an answer that breaks off is for this loop.
        for _ in range(self._attempts):
            try:
                response = self._session.get(link, stream=True, timeout=self._timeout)
            except (requests.ConnectionError, requests.Timeout) as error:
                raise DownloadError(f"no answer ({cause(error)}), {self._attempts} times") from error
            except requests.RequestException as error:
                raise DownloadError(f"{type(error).__name__}: {error}") from error
            with response:
                if response.status_code in RETRIED_STATUS:
                    raise DownloadError(f"the server answered {response.status_code}, {self._attempts} times")
                if response.status_code != 200:
                    raise DownloadError(f"the server answered {response.status_code}")
                try:
                    return self._body(response)
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                    failure = f"the answer breaks off ({cause(error)}), {self._attempts} times"
        raise DownloadError(failure)

    def _body(self, response: requests.Response) -> bytes:
        data = bytearray()
        for chunk in response.iter_content(1 << 16):
            data += chunk
            if len(data) > self._max_bytes:
                raise DownloadError(f"more than {self._max_bytes} bytes")
        return bytes(data)


def _has_image_header(data: bytes) -> bool:
    try:
        Image.open(BytesIO(data)).close()
    except UnidentifiedImageError:
        return False
    except (OSError, ValueError, Image.DecompressionBombError):  # damaged or vast, but a photo
        return True
    return True


def _is_photo(path: Path) -> bool:
    """Whether the file is there and neither a placeholder nor what a server sent in place of a photo."""
    if not path.exists():
        return False
    data = path.read_bytes()
    return data != PLACEHOLDER and _has_image_header(data)


def download(links: Iterable[str], folder: Path, downloader: Downloader, threads: int) -> Iterator[tuple[str, str]]:
    """Downloads links into a folder and yields, in order, each with what went wrong, "" where nothing did.

    Where a link fails its file is a placeholder. Links must differ; of those with one file name the first is used.
    """
    taken: dict[str, str] = {}

    def fetched(link: str) -> tuple[str, str]:
        try:
            name = file_name(link)
        except ValueError as error:
            return link, str(error)
        if link_identity(taken.setdefault(name, link)) != link_identity(link):
            return link, f"its file name is that of {taken[name]}; put one of them into another folder"
        try:
            downloader.fetch(link, folder / name)
        except DownloadError as error:
            with written_whole(folder / name, "wb") as file:
                file.write(PLACEHOLDER)
            return link, str(error)
        return link, ""

    return mapped(fetched, links, threads)


def download_table(table: Path, folder: Path, downloader: Downloader, threads: int) -> tuple[int, int]:
    """Downloads every link of the column image_link, or image, into `folder`, under the link's last part.

    A photo that is there already is kept, so a run can be repeated. A failed photo is named on stderr and replaced
    by a small black placeholder; the next run tries it again.

    Returns:
        How many links there are, and how many failed.

    Raises:
        UnusableFile: The table cannot be used.
    """
    links = list(dict.fromkeys(image_cell(row) for row in read_table(table, "|".join(IMAGE_COLUMNS))))
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    results = download(links, folder, downloader, threads)
    for link, reason in tqdm(results, total=len(links), unit="photo", disable=None):
        if reason:
            failed += 1
            tqdm.write(f"FAILED {link or '(an empty cell)'}: {reason}", file=sys.stderr)
    return len(links), failed
