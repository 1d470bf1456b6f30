"""The keys that calls need: one folder with a file for each kind of call, as a mounted secret has them.

A file has one key a line. The first is the newest; others are still accepted, so that callers can change over.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["KINDS", "Keys", "parse_keys"]

KINDS = ("inference", "management", "metrics")
KEY_BYTES = 32
MAX_KEYS = 16
# Characters of base64, of URLs and of hexadecimal digits; the proxy's configuration has no others to escape.
KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")


@dataclass(frozen=True)
class Keys:
    """The keys in a folder."""

    folder: Path

    def file(self, kind: str) -> Path:
        """Where the keys of one of KINDS are."""
        return self.folder / kind

    def create_missing(self) -> None:
        """Makes a random key of each kind that has none. Only this user can read them.

        Raises:
            ServerError: The folder cannot be written.
        """
        for kind in KINDS:
            if not self.file(kind).exists():
                self._write(kind, [_new_key()])

    def read(self, kind: str) -> list[str]:
        """All accepted keys of a kind, the newest first.

        Raises:
            ServerError: The file is missing, empty, or has a line that is no key.
        """
        file = self.file(kind)
        try:
            return parse_keys(file.read_text(encoding="utf-8", errors="replace"), file)
        except FileNotFoundError as error:
            raise ServerError(f"there is no key file {file}; write one key a line into it") from error
        except OSError as error:
            raise ServerError(f"the key file {file} cannot be read: {error}") from error

    def newest(self, kind: str) -> str:
        """The key that callers should use.

        Raises:
            ServerError: See read.
        """
        return self.read(kind)[0]

    def rotate(self, kind: str) -> None:
        """Puts a new key first; the one before it stays accepted, older ones do not.

        Raises:
            ServerError: See read and create_missing.
        """
        self._write(kind, [_new_key(), self.newest(kind)])

    def retire(self, kind: str) -> None:
        """Accepts the newest key alone.

        Raises:
            ServerError: See read and create_missing.
        """
        self._write(kind, [self.newest(kind)])

    def _write(self, kind: str, keys: list[str]) -> None:
        new = self.folder / f".{kind}.new"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write("\n".join(keys) + "\n")
            new.replace(self.file(kind))
        except OSError as error:
            raise ServerError(
                f"the keys in {self.folder} cannot be written ({error.strerror}); where they are a mounted secret, "
                "change the secret: a running server takes over what the files then have"
            ) from error


def parse_keys(text: str, file: Path) -> list[str]:
    """The keys of a file's text, the newest first.

    Raises:
        ServerError: There is none, there are too many, or a line is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or len(lines) > MAX_KEYS:
        raise ServerError(f"the key file {file} has {len(lines)} keys; it takes from 1 to {MAX_KEYS}, one a line")
    for number, line in enumerate(lines, 1):
        if not KEY.fullmatch(line):  # not shown: it is a secret
            raise ServerError(
                f"line {number} of the key file {file} is no key: 16 to 256 letters, digits and any of ._~+/=-; "
                "make one: openssl rand -hex 32"
            )
    return lines


def _new_key() -> str:
    return secrets.token_hex(KEY_BYTES)
