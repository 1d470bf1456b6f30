"""`resformer download`: the photos of a table as files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from resformer.scripts.cli.invoke import DONE, INCOMPLETE
from resformer.scripts.cli.options import (
    Attempts,
    CacheAge,
    CacheSize,
    HostConnections,
    HostRate,
    LinkSeconds,
    MaxBytes,
    SilentSeconds,
)

__all__ = ["download"]


def download(
    table: Annotated[Path, typer.Argument(metavar="IN.csv", help="A table with the column image_link or image.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Created where it is missing.")],
    jobs: Annotated[int, typer.Option("--jobs", "--threads", min=1, help="Downloads at once.")] = 64,
    host_connections: HostConnections = 16,
    host_rate: HostRate = None,
    attempts: Attempts = 4,
    timeout: SilentSeconds = 20.0,
    time_limit: LinkSeconds = 120.0,
    max_bytes: MaxBytes = 20_000_000,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="A folder that `score --cache` shares. [default: none]"),
    ] = None,
    cache_size: CacheSize = 20.0,
    cache_age: CacheAge = 24.0,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Stop after this many links. [default: all]")
    ] = None,
) -> int:
    """Download the photos of a table.

    Every link of the column `image_link` (or `image`) becomes a file under the link's last part. A photo that is there
    already is kept, and of links with one file name the first. A photo that cannot be downloaded is replaced by a small
    black placeholder and named with the reason; the next run tries it again.

    A server that is busy is asked again, after the time that it asks for (`Retry-After`) if that is a minute at most.

    Exit codes: 0 all are there, 1 the cache cannot be used, 2 the table cannot be used, 3 some are placeholders.

    Examples:

        resformer download in.csv photos/

        resformer download in.csv photos/ --host-connections 4 --host-rate 10
    """
    from resformer.scripts.lib.download_table import download_table
    from resformer.scripts.lib.downloads import Downloader, DownloadLimits
    from resformer.scripts.lib.photo_cache import PhotoCache

    limits = DownloadLimits(
        attempts=attempts,
        timeout=timeout,
        time_limit=time_limit,
        max_bytes=max_bytes,
        connections=jobs,
        host_connections=host_connections,
        host_rate=host_rate,
    )
    kept = PhotoCache(cache, round(cache_size * 1e9)) if cache else None
    with Downloader(limits, cache=kept, max_age=cache_age * 3600) as downloader:
        links, failed = download_table(table, folder, downloader, limit=limit)
    print(f"{links - failed} of {links} photos are in {folder}", file=sys.stderr)
    return INCOMPLETE if failed else DONE
