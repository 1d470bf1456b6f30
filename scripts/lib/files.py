"""Files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

__all__ = ["written_whole"]


@contextmanager
def written_whole(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Opens a file that appears at `path` when all is written, and leaves no trace where something fails.

    Args:
        path: Where the file is to be; what is there already stays until it is replaced.
        mode: `w` (UTF-8, line ends as written) or `wb`.
    """
    part = path.with_name(f".{uuid4().hex}.part")  # short: `path` may have the longest name there can be
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with open(part, mode, **text) as file:  # type: ignore[call-overload]
            yield file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
