"""Downloads the photos of a table: `python scripts/download_images.py IN.csv DIR`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from resformer.scripts.cli.invoke import DONE, INCOMPLETE, invoke

__all__ = ["main"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def download(
    table: Annotated[Path, typer.Argument(metavar="IN.csv", help="A table with the column image_link or image.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Created where it is missing.")],
    jobs: Annotated[int, typer.Option("--jobs", "--threads", min=1, help="Downloads at once.")] = 8,
    attempts: Annotated[int, typer.Option("--attempts", min=1, help="Attempts for each link.")] = 4,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for a sign of the server.")] = 20.0,
    max_bytes: Annotated[int, typer.Option("--max-bytes", min=1, help="Larger photos are refused.")] = 20_000_000,
) -> int:
    """Download the photos of a table.

    Every link of the column `image_link` (or `image`) becomes a file under the link's last part. A photo that is there
    already is kept, and of links with one file name the first. A
    photo that cannot be downloaded is replaced by a small black placeholder and named; the next run tries it again.

    Exit codes: 0 all are there, 2 the table cannot be used, 3 some are placeholders.
    """
    from resformer.scripts.lib.downloads import Downloader, download_table

    downloader = Downloader(threads=jobs, attempts=attempts, timeout=timeout, max_bytes=max_bytes)
    links, failed = download_table(table, folder, downloader, jobs)
    print(f"{links - failed} of {links} photos are in {folder}", file=sys.stderr)
    return INCOMPLETE if failed else DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return invoke(app, arguments, "download_images")


if __name__ == "__main__":
    sys.exit(main())
