"""Watches the folder of keys, and has nginx take them when they change."""

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from resformer.scripts.torchserve.access_keys import KINDS, parse_keys
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["KeyWatch"]

logger = logging.getLogger(__name__)


class KeyWatch:
    """Looks at the folder when it is told to.

    Args:
        folder: With a file for each of KINDS. Those that are there at first are in use already.
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
        return {name: _text(self._folder / name) for name in KINDS}

    def _check(self, contents: dict[str, str | None]) -> bool:
        try:
            for name, text in contents.items():
                if text is None:
                    raise ServerError(f"the key file {self._folder / name} cannot be read")
                parse_keys(text, self._folder / name)
        except ServerError as error:
            logger.error("the keys before stay accepted: %s", error)
            return False
        return True


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # It is being replaced, or missing: the check says so.
        return None
