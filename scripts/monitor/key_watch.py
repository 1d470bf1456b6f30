"""Watches the folder of keys, and has nginx take them when they change."""

import logging
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

__all__ = ["KEY_FILES", "KeyFolderError", "KeyWatch", "check_keys"]

KEY_FILES = ("inference", "management", "metrics")
"""The file of each kind of key, with one key a line."""
# What a header `Authorization: Bearer KEY` can carry (RFC 6750), long enough not to be guessed.
KEY = re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*")

logger = logging.getLogger(__name__)


class KeyFolderError(ValueError):
    """Keys that nobody could use, and why."""


def check_keys(contents: dict[str, str | None]) -> None:
    """Checks the files of keys.

    Args:
        contents: Of each of KEY_FILES; None where it cannot be read.

    Raises:
        KeyFolderError: A file is missing, holds no key, or a line that is none. The message tells no key.
    """
    for name, text in contents.items():
        if text is None:
            raise KeyFolderError(f"the file {name} cannot be read")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise KeyFolderError(f"the file {name} holds no key; write one a line")
        for number, line in enumerate(lines, 1):
            if not KEY.fullmatch(line):
                raise KeyFolderError(f"key {number} of the file {name} is none: 16 or more letters, digits and ._~+/-=")


class KeyWatch:
    """Looks at the folder when it is told to.

    Args:
        folder: With KEY_FILES. Those that are there at first are in use already.
        changed: Called where other keys are there and can be used: makes nginx take them. Where it raises OSError it
            is called again at the next look.

    Attributes:
        valid: Whether the keys of the folder can be used.
        reloads: How often nginx took other keys (`done`), did not (`failed`), or keys could not be used (`refused`).
    """

    def __init__(self, folder: Path, changed: Callable[[], None]):
        self.reloads: Counter[str] = Counter()
        self._folder = folder
        self._changed = changed
        self._used = self._seen = self._read()
        self._failed = False
        self.valid = self._check(self._seen)

    def look(self) -> None:
        """Has nginx take the keys where they are others than before."""
        contents = self._read()
        if contents != self._seen:
            self._seen, self._failed = contents, False
            self.valid = self._check(contents)
            self.reloads["refused"] += not self.valid
        if not self.valid or contents == self._used:
            return
        try:
            self._changed()
        except OSError as error:
            self.reloads["failed"] += 1
            if not self._failed:
                logger.error("the keys changed, but nginx did not take them, and is told again: %s", error)
            self._failed = True
            return
        self._used = contents
        self.reloads["done"] += 1
        logger.warning("the keys changed; nginx takes them")

    def _read(self) -> dict[str, str | None]:
        return {name: _text(self._folder / name) for name in KEY_FILES}

    def _check(self, contents: dict[str, str | None]) -> bool:
        try:
            check_keys(contents)
        except KeyFolderError as error:
            logger.error("keys in %s cannot be used, those before stay: %s", self._folder, error)
            return False
        return True


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # It is being replaced, or missing: the check says so.
        return None
