"""TorchServe's management and metrics on unix sockets, with workers as a test sets them."""

import json
import threading
from pathlib import Path
from typing import Any

from resformer.scripts.monitor.backend_file import BACKEND_FILE
from resformer.scripts.monitor.probe_server import Answer, ProbeServer

__all__ = ["FakeTorchServe"]


class FakeTorchServe:
    """Answers until it is closed.

    Attributes:
        workers: (id, pid, status) of each.
        metrics: Its own.
        queued: Requests that wait.
    """

    def __init__(self, folder: Path, name: str = "a"):
        self.management, self.metrics_socket = folder / f"{name}-management.sock", folder / f"{name}-metrics.sock"
        self.key_file = folder / f"{name}-keys.json"
        self.workers: list[tuple[str, int, str]] = [("9000", 11, "READY")]
        self.metrics = "# TYPE Requests2XX counter\nRequests2XX 4.0\n"
        self.queued = 0
        self.key_file.write_text(json.dumps({"management": {"key": f"{name}-key"}}))
        self._servers = [
            ProbeServer(self.management, {"/models/resformer": self._model}),
            ProbeServer(self.metrics_socket, {"/metrics": lambda: Answer(200, self.metrics.encode(), "text/plain")}),
        ]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def name_in(self, folder: Path) -> None:
        """Makes this the TorchServe that the folder's monitor asks."""
        paths = {"management": self.management, "metrics": self.metrics_socket, "key_file": self.key_file}
        new = folder / "backend.new"
        new.write_text(json.dumps({name: str(path) for name, path in paths.items()}))
        new.rename(folder / BACKEND_FILE)

    def close(self) -> None:
        """Answers no more."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.management.unlink(missing_ok=True)
        self.metrics_socket.unlink(missing_ok=True)

    def _model(self) -> Answer:
        workers: list[dict[str, Any]] = [{"id": i, "pid": pid, "status": status} for i, pid, status in self.workers]
        queue = {"remainingCapacity": 64 - self.queued, "pendingRequests": self.queued}
        return Answer(200, json.dumps([{"workers": workers, "jobQueueStatus": queue}]).encode())
