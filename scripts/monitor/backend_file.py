"""Which TorchServe is asked: a file in the server's folder names it, and changes where another one takes over."""

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BACKEND_FILE", "Backend", "BackendError", "read_backend"]

BACKEND_FILE = "backend.json"


class BackendError(Exception):
    """What cannot be learnt from TorchServe, and why."""


@dataclass(frozen=True)
class Backend:
    """One TorchServe.

    Attributes:
        management, metrics: Its unix sockets.
        key_file: Its keys, which it writes when it starts.
    """

    management: Path
    metrics: Path
    key_file: Path

    def key(self) -> str:
        """The key of the management API.

        Raises:
            BackendError: There is none yet.
        """
        try:
            return str(json.loads(self.key_file.read_text(encoding="utf-8"))["management"]["key"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackendError(f"TorchServe has no key of its management API in {self.key_file} yet") from error


def read_backend(folder: Path) -> Backend:
    """The TorchServe that BACKEND_FILE names: {"management": PATH, "metrics": PATH, "key_file": PATH}.

    Raises:
        BackendError: There is no such file, or it lacks a path.
    """
    file = folder / BACKEND_FILE
    try:
        named = json.loads(file.read_text(encoding="utf-8"))
        return Backend(Path(named["management"]), Path(named["metrics"]), Path(named["key_file"]))
    except FileNotFoundError as error:
        raise BackendError(f"no TorchServe is named in {file} yet") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"{file} names no TorchServe: {error!r}") from error
