"""The server's inference key: where it comes from, and when it changes."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Key", "find_key"]

# The first line of a key file; the server's own keys have 64 characters.
LINE = re.compile(rb"[!-~]{1,4096}")


class Key:
    """An inference key; `value` is empty where requests go without one.

    Keys are changed while servers run, so a key that came from a file can be renewed.
    """

    def __init__(self, value: str = "", file: Path | None = None):
        self._file = file
        self.value = _checked(_read(file) if file else value)

    def renew(self) -> bool:
        """Reads the file again, if there is one; returns whether the key is another one now.

        Raises:
            ValueError: The file is no longer a key file.
        """
        if self._file is None or not self._file.exists():
            return False
        before, self.value = self.value, _checked(_read(self._file))
        return self.value != before


def find_key(key: str | None, key_file: str | Path | None, environment: Mapping[str, str] | None = None) -> Key:
    """The key that is given, or else the one that the environment names.

    Args:
        key: The key itself; empty = send none, whatever the environment says.
        key_file: A server's file of keys; its first line is taken.
        environment: In which RESFORMER_KEY, RESFORMER_KEY_FILE and RESFORMER_TOKEN, which `resformer score` reads too,
            are looked for, in this order; None = that of the process.

    Raises:
        ValueError: Both are given, or the file cannot be read or is no key file.
    """
    if key is not None and key_file is not None:
        raise ValueError("key and key_file exclude each other: either is the server's key")
    if key is not None:
        return Key(key)
    if key_file is not None:
        return Key(file=Path(key_file))
    environment = os.environ if environment is None else environment
    if value := environment.get("RESFORMER_KEY"):
        return Key(value)
    if file := environment.get("RESFORMER_KEY_FILE"):
        return Key(file=Path(file))
    return Key(environment.get("RESFORMER_TOKEN", ""))


def _read(file: Path) -> str:
    try:
        with file.open("rb") as lines:
            first = lines.readline(10_000).strip()
    except OSError as error:
        raise ValueError(
            f"cannot read the key file {file}: {error.strerror}; the server writes it when it starts"
        ) from error
    if not LINE.fullmatch(first) or first.startswith(b"{"):
        raise ValueError(f"{file} is no key file: its first line is the key, as in build/serve-8080/keys/inference")
    return first.decode("ascii")


def _checked(value: str) -> str:
    value = value.strip()
    if not (value.isascii() and value.isprintable()):  # not shown: it is a secret
        raise ValueError("the key has characters that no key has; copy it from the server's key file")
    return value
