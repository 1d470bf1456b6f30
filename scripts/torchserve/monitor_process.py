"""The monitor beside a server: it answers probes and metrics, and has nginx take over changed keys."""

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resformer.scripts.monitor.backend_file import BACKEND_FILE
from resformer.scripts.monitor.health import DRAINING_FILE
from resformer.scripts.torchserve.access_keys import Keys
from resformer.scripts.torchserve.backend import Backend
from resformer.scripts.torchserve.processes import is_running, start_detached, stop_group, wait_until
from resformer.scripts.torchserve.proxy import Proxy
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["MonitorProcess"]

MODULE = "resformer.scripts.monitor"
START_SECONDS = 30.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class MonitorProcess:
    """The monitor of the server in a folder.

    It goes by files there: BACKEND_FILE names the sockets of the TorchServe that answers, DRAINING_FILE says that the
    server is about to end.
    """

    folder: Path

    @property
    def socket(self) -> Path:
        """Where it answers."""
        return self._sockets.resolve() / "monitor.sock"

    @property
    def log_socket(self) -> Path:
        """Where it is told of requests."""
        return self._sockets.resolve() / "requests.sock"

    @property
    def status_socket(self) -> Path:
        """Where nginx tells it of connections."""
        return self._sockets.resolve() / "status.sock"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "monitor.log"

    @property
    def pid(self) -> int | None:
        """Of the running monitor, None where it does not run."""
        try:
            pid = int((self.folder / "monitor.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if is_running(pid, MODULE) else None

    def make_sockets(self) -> None:
        """Makes the folder of the sockets, whose paths may have 107 characters at most."""
        self._sockets.symlink_to(tempfile.mkdtemp(prefix="resformer-"))

    def start(self, proxy: Proxy, keys: Keys, accept_keys: Sequence[str]) -> None:
        """Starts the monitor.

        Args:
            proxy: Not yet started.
            keys: It watches these.
            accept_keys: The command by which it has the proxy take over changed ones.

        Raises:
            ServerError: It did not come up.
        """
        command = [sys.executable, "-m", MODULE, "--folder", self.folder, "--listen", self.socket]
        command += ["--access-log", self.log_socket, "--nginx-status", self.status_socket]
        command += ["--nginx-pid", proxy.pid_file]
        if not proxy.to_console:
            command += ["--rotate", proxy.access_log, proxy.error_log]
        command += ["--keys", keys.folder, "--reload", shlex.join(accept_keys)]
        process = start_detached(list(map(str, command)), self.folder, self.log, os.environ)
        (self.folder / "monitor.pid").write_text(f"{process.pid}\n")
        if not wait_until(lambda: self.socket.exists() or process.poll() is not None, START_SECONDS) or process.poll():
            raise ServerError(f"the monitor did not start.\n{self.log.read_text(errors='replace')}")

    def follow(self, backend: Backend) -> None:
        """Has it report about another TorchServe."""
        named = {kind: str(backend.socket(kind)) for kind in ("management", "metrics")}
        new = self.folder / "backend.new"
        new.write_text(json.dumps({**named, "key_file": str(backend.key_file)}))
        new.replace(self.folder / BACKEND_FILE)

    def announce_end(self) -> None:
        """Has it say that the server is not ready any more."""
        (self.folder / DRAINING_FILE).touch()

    def stop(self) -> None:
        """Ends it, and removes its sockets."""
        if self.pid is not None:
            stop_group(self.pid, STOP_SECONDS)
        if self._sockets.is_symlink():
            shutil.rmtree(self._sockets.resolve(), ignore_errors=True)
            self._sockets.unlink(missing_ok=True)

    @property
    def _sockets(self) -> Path:
        return self.folder / "run"
