"""Downloads the photos of a table: python scripts/download_images.py IN.csv DIR

Every link of the column image_link becomes DIR/<the link's last part>. What is there already is kept, so a run can
be repeated. A photo that cannot be had is replaced by a small black placeholder and reported; the next run tries it
again. Exit code: 0 all there, 3 some are placeholders, 2 the table cannot be used.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import requests
from PIL import Image
from tqdm import tqdm

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from resformer.scripts.lib.files import written_whole
from resformer.scripts.lib.parallel import mapped
from resformer.scripts.lib.retry import RETRIED_STATUS, Transient, with_retries
from resformer.scripts.lib.tables import UnusableFile, read_table

__all__ = ["PLACEHOLDER", "DownloadError", "Downloader", "file_name", "main"]


def _black() -> bytes:
    # BMP, whatever the file's name: its bytes are the same with every version of Pillow, so that it is recognised.
    buffer = BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "BMP")
    return buffer.getvalue()


PLACEHOLDER = _black()
"""The bytes that stand for a photo which could not be downloaded."""


class DownloadError(Exception):
    """A photo cannot be had; the message says why."""


def file_name(link: str) -> str:
    """The last part of a link or path.

    >>> file_name("https://example.com/images/I/61ab.jpg?size=large")
    '61ab.jpg'

    Raises:
        ValueError: It has no last part that can be a file's name.
    """
    name = urlsplit(link).path.rpartition("/")[2]
    if name in ("", ".", "..") or "\0" in name or len(name.encode()) > 255:
        raise ValueError(f"the last part of {link[:200]!r} is not a file's name")
    return name


class Downloader:
    """Fetches photos over http and https; safe to use from several threads.

    Args:
        threads: How many connections are kept open.
        attempts: How often a link is tried.
        wait: Seconds before the second attempt; they double each time.
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
        self._attempts, self._wait = attempts, wait
        self._timeout, self._max_bytes = timeout, max_bytes
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=threads))

    def fetch(self, link: str, path: Path) -> None:
        """Makes the file `path` from `link`, unless it is there and not a placeholder.

        Raises:
            DownloadError: The photo cannot be had; `path` is as it was.
        """
        if _is_photo(path):
            return
        if not link.lower().startswith(("http://", "https://")):
            raise DownloadError("not an http or https link")
        try:
            data = with_retries(lambda: self._get(link), attempts=self._attempts, wait=self._wait)
        except Transient as error:
            raise DownloadError(f"{error}, {self._attempts} times") from error
        with written_whole(path, "wb") as file:
            file.write(data)

    def _get(self, link: str) -> bytes:
        try:
            with self._session.get(link, stream=True, timeout=self._timeout) as response:
                if response.status_code in RETRIED_STATUS:
                    raise Transient(f"the server answered {response.status_code}")
                if response.status_code != 200:
                    raise DownloadError(f"the server answered {response.status_code}")
                data = bytearray()
                for chunk in response.iter_content(1 << 16):
                    data += chunk
                    if len(data) > self._max_bytes:
                        raise DownloadError(f"more than {self._max_bytes} bytes")
                return bytes(data)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise Transient(f"no answer ({type(error).__name__})") from error
        except requests.RequestException as error:
            raise DownloadError(f"{type(error).__name__}: {error}") from error


def _is_photo(path: Path) -> bool:
    if not path.exists():
        return False
    return path.stat().st_size != len(PLACEHOLDER) or path.read_bytes() != PLACEHOLDER


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
        if taken.setdefault(name, link) != link:
            return link, f"its file name is that of {taken[name]}; put one of them into another folder"
        try:
            downloader.fetch(link, folder / name)
        except DownloadError as error:
            with written_whole(folder / name, "wb") as file:
                file.write(PLACEHOLDER)
            return link, str(error)
        return link, ""

    return mapped(fetched, links, threads)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="IN.csv", help="a table with the column image_link")
    parser.add_argument("folder", type=Path, metavar="DIR", help="made where it is missing")
    parser.add_argument("--threads", type=int, default=8, help="downloads at once (8)")
    parser.add_argument("--attempts", type=int, default=4, help="tries per link (4)")
    parser.add_argument("--timeout", type=float, default=20.0, help="seconds to wait for a sign (20)")
    parser.add_argument("--max-bytes", type=int, default=20_000_000, help="largest photo (20000000)")
    options = parser.parse_args(arguments)
    try:
        links = list(dict.fromkeys(row["image_link"].strip() for row in read_table(options.table, "image_link")))
    except UnusableFile as error:
        print(error, file=sys.stderr)
        return 2
    options.folder.mkdir(parents=True, exist_ok=True)
    downloader = Downloader(
        threads=options.threads,
        attempts=options.attempts,
        timeout=options.timeout,
        max_bytes=options.max_bytes,
    )
    failed = 0
    results = download(links, options.folder, downloader, options.threads)
    for link, reason in tqdm(results, total=len(links), unit="photo", disable=None):
        if reason:
            failed += 1
            tqdm.write(f"FAILED {link or '(an empty cell)'}: {reason}", file=sys.stderr)
    print(f"{len(links) - failed} of {len(links)} photos are in {options.folder}", file=sys.stderr)
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
