"""Files that are either whole or not there, and that are never both input and output."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

__all__ = ["UnusableFile", "file_digest", "refuse_overwriting", "saved_whole", "written_whole"]


class UnusableFile(ValueError):
    """A file cannot be used at all; the message says what to do."""


@contextmanager
def written_whole(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Opens a file that appears at `path` when all is written, and leaves no trace where something fails.

    Args:
        path: Where the file is to be; what is there already stays until it is replaced.
        mode: `w` (UTF-8, line ends as written) or `wb`.
    """
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    with saved_whole(path) as part, open(part, mode, **text) as file:  # type: ignore[call-overload]
        yield file


@contextmanager
def saved_whole(path: Path) -> Iterator[Path]:
    """As written_whole, for what saves to a path: the path to save to, which is renamed to `path` at the end."""
    part = path.with_name(f".{uuid4().hex}.part")  # short: `path` may have the longest name there can be
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def refuse_overwriting(inputs: Sequence[Path | None], outputs: Sequence[Path | None]) -> None:
    """Refuses an output that is one of the inputs, also through a link or another spelling of its path.

    Raises:
        UnusableFile: It is.
    """
    for output in filter(None, outputs):
        for path in filter(None, inputs):
            if path.resolve() == output.resolve() or (path.exists() and output.exists() and path.samefile(output)):
                raise UnusableFile(f"{output} is both read and written; name another file for the output")


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
