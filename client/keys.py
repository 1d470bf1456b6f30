"""The server's inference key: where it comes from, and when it changes."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Key", "find_key"]


class Key:
    """An inference key; `value` is empty where requests go without one.

    A server that starts again writes new keys, so a key that came from its file can be renewed.
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
        key_file: TorchServe's key_file.json.
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
        return str(json.loads(file.read_text(encoding="utf-8"))["inference"]["key"])
    except OSError as error:
        raise ValueError(
            f"cannot read the key file {file}: {error.strerror}; the server writes it when it starts"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not a key file of TorchServe, such as build/serve-8080/key_file.json") from error


def _checked(value: str) -> str:
    value = value.strip()
    if not (value.isascii() and value.isprintable()):  # not shown: it is a secret
        raise ValueError("the key has characters that no key has; copy it from the server's key_file.json")
    return value
