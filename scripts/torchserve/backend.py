"""One TorchServe behind the proxy: reached by Unix sockets, and by two gRPC ports of its own on loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resformer
from resformer.scripts.lib.unix_http import exchange
from resformer.scripts.torchserve.admission import Admission
from resformer.scripts.torchserve.processes import is_running, stop_group
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["MODEL", "START_SECONDS", "WORKER_ENVIRONMENT", "Backend", "Reply"]

MODEL = "resformer"
PACKAGE = Path(resformer.__file__).parent
START_SECONDS = 240.0
STOP_SECONDS = 20.0
LOG_TAIL_LINES = 40
# Threads that wait for work spin a few microseconds and then sleep. With the default, they spin for milliseconds:
# an answer takes ten times as long when another process needs a core. Asleep at once, it takes a third longer.
# Set here since a worker has loaded its thread library before the archive's code runs.
# Memory of many threads is kept in as many heaps, from which little is given back: here in two, Java's too. Bodies of
# requests, in Java outside its heap, are given back at once; workers set their own threshold.
WORKER_ENVIRONMENT = {"GOMP_SPINCOUNT": "2000", "MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(256 << 10)}
# What workers inherit of the environment. Whatever else is there, such as credentials, is no business of theirs.
INHERITED = frozenset({"HOME", "JAVA_HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TZ", "VIRTUAL_ENV"})
INHERITED_PREFIXES = ("CUDA_", "GOMP_", "LC_", "MKL_", "NVIDIA_", "OMP_")
# The front end starts a failing worker again and again; other signs look like slow loading.
LOAD_FAILED = ("Traceback (most recent call last)", "Load model failed")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. `body` is parsed JSON, or None where the server sent none."""

    status: int
    body: Any

    @classmethod
    def of(cls, status: int, body: bytes) -> "Reply":
        """Raises ValueError where the body is not JSON."""
        return cls(status, json.loads(body) if body else None)


@dataclass(frozen=True)
class Backend:
    """A TorchServe.

    Attributes:
        folder: Of its configuration, keys and log.
        to_console: Whether its log goes to the output of the command as well.
    """

    folder: Path
    to_console: bool = False

    @property
    def log(self) -> Path:
        """Warnings and errors of TorchServe and its workers."""
        return self.folder / "server.log"

    @property
    def output(self) -> Path:
        """What Java itself prints."""
        return self.folder / "java.log"

    @property
    def key_file(self) -> Path:
        """TorchServe's own keys, which it writes anew at each start. The proxy alone uses them."""
        return self.folder / "key_file.json"

    def socket(self, kind: str) -> Path:
        """The Unix socket for `inference`, `management` or `metrics`."""
        return self._temporary.resolve() / f"{kind}.sock"

    @property
    def grpc_port(self) -> int:
        """Of the predictions by gRPC, on loopback."""
        return int(self._config()["grpc_inference_port"])

    @property
    def pid(self) -> int | None:
        """Of the running front end, None where it does not run."""
        try:
            pid = int((self._temporary / ".model_server.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if is_running(pid, str(self._temporary.resolve())) else None

    def key(self, kind: str) -> str:
        """TorchServe's token for `inference` or `management`."""
        return str(json.loads(self.key_file.read_text())[kind]["key"])

    def start(self, archive: Path, java_home: Path | None, workers: int | None = None) -> None:
        """Starts TorchServe in a new folder and waits until its workers are ready.

        Args:
            archive: What to serve.
            java_home: Of the Java runtime; None is the one that the machine finds.
            workers: How many there shall be; None = as many as the archive says.

        Raises:
            ServerError: The server or its first worker did not come up; nothing is left running then, nor after an
                interrupt.
        """
        self.folder.mkdir(parents=True)
        # Not in the folder: the path of a socket may have 107 characters, that of a checkout more.
        self._temporary.symlink_to(tempfile.mkdtemp(prefix="resformer-"))
        self._write_config()
        command = [sys.executable, "-m", "ts.model_server", "--start", "--ncs"]
        command += ["--ts-config", "config.properties", "--log-config", str(PACKAGE / "log4j2.xml")]
        command += ["--model-store", str(archive.parent), "--models", f"{MODEL}={archive.name}"]
        try:
            with self.output.open("w") as output:
                # A session of its own, so that Ctrl-C in the terminal does not reach it and a stop reaches all of it.
                launcher = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=self._environment(java_home),
                    stdin=subprocess.DEVNULL,
                    stdout=None if self.to_console else output,
                    stderr=None if self.to_console else output,
                    start_new_session=True,
                )
            try:
                launcher.wait()
            except BaseException:
                stop_group(launcher.pid, STOP_SECONDS)  # Java may run already, and no file says so yet
                raise
            self._wait_until_ready()
            if workers is not None and workers != len(self.workers()):
                self.set_workers(workers)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the front end with its workers and removes its temporary files; requests under way are lost."""
        if self.pid is not None:
            stop_group(self.pid, STOP_SECONDS)
        if self._temporary.is_symlink():
            shutil.rmtree(self._temporary.resolve(), ignore_errors=True)
            self._temporary.unlink(missing_ok=True)

    def remove(self) -> None:
        """Ends it and removes all its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_workers(self, count: int) -> None:
        """Sets the number of workers and waits for them.

        Raises:
            ServerError: They did not come up.
        """
        query = f"?min_worker={count}&max_worker={count}&synchronous=true"
        reply = self.manage("PUT", query, timeout=START_SECONDS)
        if reply.status != 200:
            raise ServerError(f"scaling to {count} failed: {reply.body['message']}")

    def workers(self) -> list[dict[str, Any]]:
        """`id`, `status`, `pid` and more of each worker; one that is loading has the pid -1.

        Raises:
            ServerError: The server does not answer yet.
        """
        return list(self._described("")["workers"])

    def describe(self) -> dict[str, Any]:
        """A worker's description: version, entities, readers, threads.

        Raises:
            ServerError: No worker answers.
        """
        return dict(self._described("?customized=true")["customizedMetadata"])

    def predict(self, photo: bytes, headers: Mapping[str, str]) -> Reply:
        """The answer about one photo, past the proxy.

        Raises:
            OSError: There is no answer.
            ValueError: The answer is not JSON.
        """
        headers = {**headers, "Authorization": f"Bearer {self.key('inference')}"}
        target = f"/predictions/{MODEL}"
        return Reply.of(*exchange(self.socket("inference"), "PUT", target, headers, photo, timeout=120.0))

    def manage(self, method: str, query: str, timeout: float = 30.0) -> Reply:
        """Asks the management API about the model.

        Raises:
            ServerError: The server does not answer.
        """
        try:
            headers = {"Authorization": f"Bearer {self.key('management')}"}
            target = f"/models/{MODEL}{query}"
            return Reply.of(*exchange(self.socket("management"), method, target, headers, timeout=timeout))
        except TimeoutError as error:
            raise ServerError(f"TorchServe gave no answer within {timeout:.0f} s; see {self.log}") from error
        except (OSError, ValueError, KeyError) as error:  # no or half a key file, or no socket yet
            raise ServerError(
                f"TorchServe is starting and does not answer yet; ask again soon, or see {self.log}"
            ) from error

    @property
    def _temporary(self) -> Path:
        """A link to a folder for the pid file, the sockets and the unpacked archive."""
        return self.folder / "tmp"

    def _described(self, query: str) -> dict[str, Any]:
        reply = self.manage("GET", query)
        if reply.status != 200:
            raise ServerError(f"TorchServe answers: {reply.body['message']}")
        return dict(reply.body[0])

    def _environment(self, java_home: Path | None) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in INHERITED or name.startswith(INHERITED_PREFIXES)
        }
        temporary = str(self._temporary.resolve())
        environment = {**WORKER_ENVIRONMENT, **kept, "TMPDIR": temporary, "TEMP": temporary}
        if java_home:
            environment["JAVA_HOME"] = str(java_home)
        if self.to_console:
            environment["RESFORMER_CONSOLE_LEVEL"] = "WARN"
        return environment

    def _write_config(self) -> None:
        """A copy of config.properties with the sockets and ports of this server."""
        inference, management = _free_ports(2)
        values = {
            **{f"{kind}_address": f"unix:{self.socket(kind)}" for kind in ("inference", "management", "metrics")},
            "grpc_inference_port": str(inference),
            "grpc_management_port": str(management),
            "metrics_config": str(PACKAGE / "metrics.yaml"),
        }
        lines = (PACKAGE / "config.properties").read_text().splitlines()
        memory = Admission.for_this_machine().mebibytes
        java = next(line.partition("=")[2] for line in lines if line.startswith("vmargs="))
        values["vmargs"] = f"-Xmx{memory}m -XX:MaxDirectMemorySize={memory}m {java}"
        kept = [line for line in lines if line.partition("=")[0].strip() not in values]
        kept += [f"{name}={value}" for name, value in values.items()]
        (self.folder / "config.properties").write_text("\n".join(kept) + "\n")

    def _config(self) -> dict[str, str]:
        lines = (self.folder / "config.properties").read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines if not line.startswith("#"))}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self.pid is None:
                raise ServerError(f"the server ended while starting.\n{self._log_tail()}")
            if any(sign in self._printed() for sign in LOAD_FAILED):
                time.sleep(1.0)  # Until the whole of it is in the log.
                raise ServerError(f"the worker failed to load.\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerError(f"no worker was ready after {START_SECONDS:.0f} s.\n{self._log_tail()}")
            time.sleep(0.5)

    def _ready(self) -> bool:
        """Whether every worker is ready. /ping answers Healthy before a worker has loaded and while it fails to."""
        try:
            workers = self.workers()
        except ServerError:
            return False
        return bool(workers) and all(worker["status"] == "READY" for worker in workers)

    def _printed(self) -> str:
        return "".join(file.read_text(errors="replace") for file in (self.output, self.log) if file.exists())

    def _log_tail(self) -> str:
        lines = self._printed().splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([*lines, "(the end of its log)"])


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
