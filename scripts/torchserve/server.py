"""One TorchServe on this machine: its folder, ports and keys, its start and its stop.

Needs nothing but Python itself, so that a busy port is reported before anything is installed.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import resformer
from resformer.scripts.lib.external_error import ExternalError

__all__ = ["MODEL", "WORKER_ENVIRONMENT", "Server", "ServerError", "start_command"]

MODEL = "resformer"
PACKAGE = Path(resformer.__file__).parent
# What each port is for, counted from the server's own.
PORTS = ("predictions", "management", "metrics", "gRPC predictions", "gRPC management")
# Sockets to the workers are named by numbers from here upwards.
WORKER_PORT_OFFSET = 1000
START_SECONDS = 240.0
STOP_SECONDS = 20.0
LOG_TAIL_LINES = 40
# Threads that wait for work spin a few microseconds and then sleep. With the default, they spin for milliseconds:
# an answer takes ten times as long when another process needs a core. Asleep at once, it takes a third longer.
# Set here since a worker has loaded its thread library before the archive's code runs.
WORKER_ENVIRONMENT = {"GOMP_SPINCOUNT": "2000"}
# The front end starts a failing worker again and again; other signs look like slow loading.
LOAD_FAILED = ("Traceback (most recent call last)", "Load model failed")


class ServerError(ExternalError):
    """What cannot be done with the server, and why."""


def start_command(port: int) -> str:
    """The commands that serve on a port, for messages."""
    return f"`resformer serve --port {port}` or `make serve PORT={port}`"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. `body` is parsed JSON, or None where the server sent none."""

    status: int
    body: Any


@dataclass(frozen=True)
class Server:
    """The server on one port of this machine; several may run side by side.

    Attributes:
        port: Of the predictions; four more follow it.
        root: The folder in which the server keeps its files.
        archive: The file that is served.
    """

    port: int
    root: Path = field(default_factory=Path.cwd)
    archive: Path = Path("model_store") / f"{MODEL}.mar"

    def __post_init__(self) -> None:
        last = 65535 - 2 * WORKER_PORT_OFFSET
        if not 1024 <= self.port <= last:
            raise ValueError(f"port {self.port} cannot be used; take one from 1024 to {last}")

    @property
    def folder(self) -> Path:
        """Where the server runs: configuration, keys, log."""
        return self.root / "build" / f"serve-{self.port}"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.folder / "server.log"

    @property
    def key_file(self) -> Path:
        """TorchServe's keys for inference and management."""
        return self.folder / "key_file.json"

    @property
    def predictions_url(self) -> str:
        """Where photos are posted to."""
        return f"http://127.0.0.1:{self.port}/predictions/{MODEL}"

    @property
    def management_url(self) -> str:
        """Where the model's workers are managed."""
        return f"http://127.0.0.1:{self.port + 1}/models/{MODEL}"

    @property
    def pid(self) -> int | None:
        """Of the running front end, None where it does not run."""
        try:
            pid = int((self._temporary / ".model_server.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The pid may be that of another process by now.
        return pid if str(self._temporary.resolve()).encode() in command else None

    def key(self, kind: str) -> str:
        """The token for `inference` or `management`."""
        return str(json.loads(self.key_file.read_text())[kind]["key"])

    def check_ports(self) -> None:
        """Raises ServerError where one of the ports is taken."""
        if self.pid is not None:
            raise ServerError(
                f"already serving on port {self.port}; to serve a change, stop it first: "
                f"`resformer stop --port {self.port}` or `make stop PORT={self.port}`"
            )
        for port, purpose in enumerate(PORTS, self.port):
            with socket.socket() as probe:
                # As servers do: a port is free again at once when its last connections only time out.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise ServerError(
                        f"port {port} ({purpose}) is in use; stop what uses it or choose five others: "
                        f"{start_command(self.port + 100)}"
                    ) from error

    def start(self, java_home: Path | None = None) -> None:
        """Starts the server and waits until its workers are ready.

        Args:
            java_home: Of the Java runtime; None is the one that the machine finds.

        Raises:
            ServerError: A port is taken, there is no archive, the file is none, or the server or its first worker did
                not come up; nothing is left running then, nor after an interrupt.
        """
        self.check_ports()
        archive = (self.root / self.archive).resolve()
        if not archive.is_file():
            raise ServerError(f"no archive at {archive}; build it: `resformer archive --out {archive}`")
        if not zipfile.is_zipfile(archive):
            raise ServerError(f"{archive} is no archive; name one that `resformer archive` built")
        self._remove_temporary()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # Not in the folder: the path of a socket may have 107 characters, that of a checkout more.
        self._temporary.symlink_to(tempfile.mkdtemp(prefix="resformer-"))
        self._write_config()
        temporary = str(self._temporary.resolve())
        environment = {**WORKER_ENVIRONMENT, **os.environ, "TMPDIR": temporary, "TEMP": temporary}
        environment.pop("TS_CONFIG_FILE", None)  # It would win over ours.
        if java_home:
            environment["JAVA_HOME"] = str(java_home)
        command = [sys.executable, "-m", "ts.model_server", "--start", "--ncs"]
        command += ["--ts-config", "config.properties", "--log-config", str(PACKAGE / "log4j2.xml")]
        command += ["--model-store", str(archive.parent), "--models", f"{MODEL}={archive.name}"]
        try:
            with self.log.open("w") as log:
                # A session of its own, so that Ctrl-C in the terminal does not reach it and a stop reaches all of it.
                subprocess.run(
                    command,
                    cwd=self.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._wait_until_ready()
        except BaseException:
            self._kill()
            self._remove_temporary()
            raise

    def stop(self) -> bool:
        """Stops the server, also one that is starting; requests under way are lost. Returns whether one ran."""
        running = self.pid is not None
        self._kill()
        self._remove_temporary()
        shutil.rmtree(self.folder, ignore_errors=True)
        return running

    def scale(self, workers: int) -> None:
        """Sets the number of workers and waits for them. Each then takes an equal part of the cores.

        Raises:
            ServerError: The server does not run, or the workers did not come up; there are as many as before then.
        """
        before = len(self.workers())
        try:
            self._set_workers(workers)
        except ServerError:
            if before:
                self._set_workers(before)
            raise

    def _set_workers(self, count: int) -> None:
        query = f"?min_worker={count}&max_worker={count}&synchronous=true"
        reply = self._manage("PUT", query, timeout=START_SECONDS)
        if reply.status != 200:
            raise ServerError(f"scaling to {count} failed: {reply.body['message']}")

    def workers(self) -> list[dict[str, Any]]:
        """`id`, `status`, `pid` and more of each worker; one that is loading has the pid -1.

        Raises:
            ServerError: The server does not run, or does not answer yet.
        """
        reply = self._manage("GET", "")
        if reply.status != 200:
            raise ServerError(f"the server on port {self.port} answers: {reply.body['message']}")
        return list(reply.body[0]["workers"])

    def describe(self) -> dict[str, Any]:
        """A worker's description: version, entities, readers, threads.

        Raises:
            ServerError: No worker answers.
        """
        reply = self._manage("GET", "?customized=true")
        if reply.status != 200:
            raise ServerError(f"the server on port {self.port} answers: {reply.body['message']}")
        return dict(reply.body[0]["customizedMetadata"])

    def predict(self, photo: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """The server's answer about one photo."""
        headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self._call("PUT", self.predictions_url, "inference", photo, headers, 120.0)

    @property
    def _temporary(self) -> Path:
        """A link to a folder for the pid file, the sockets and the unpacked archive."""
        return self.folder / "tmp"

    def _manage(self, method: str, query: str, timeout: float = 30.0) -> Reply:
        if self.pid is None:
            raise ServerError(f"nothing is serving on port {self.port}; start it: {start_command(self.port)}")
        try:
            return self._call(method, self.management_url + query, "management", None, {}, timeout)
        except TimeoutError as error:
            raise ServerError(f"the server on port {self.port} gave no answer within {timeout:.0f} s") from error
        except (OSError, ValueError) as error:  # no or half a key file, or no port yet
            raise ServerError(
                f"the server on port {self.port} is starting and does not answer yet; ask again soon, or see {self.log}"
            ) from error

    def _call(
        self, method: str, url: str, key: str, body: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> Reply:
        request = urllib.request.Request(url, body, dict(headers), method=method)
        request.add_header("Authorization", f"Bearer {self.key(key)}")
        # Without the proxy that the environment may name: the server is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as reply:
                status, answer = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        return Reply(status, json.loads(answer) if answer else None)

    def _write_config(self) -> None:
        """A copy of config.properties with the ports counted from this server's."""
        values = {
            "inference_address": f"http://127.0.0.1:{self.port}",
            "management_address": f"http://127.0.0.1:{self.port + 1}",
            "metrics_address": f"http://127.0.0.1:{self.port + 2}",
            "grpc_inference_port": str(self.port + 3),
            "grpc_management_port": str(self.port + 4),
            "initial_worker_port": str(self.port + WORKER_PORT_OFFSET),
            "metrics_config": str(PACKAGE / "metrics.yaml"),
        }
        lines = (PACKAGE / "config.properties").read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0].strip() not in values]
        kept += [f"{name}={value}" for name, value in values.items()]
        (self.folder / "config.properties").write_text("\n".join(kept) + "\n")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self.pid is None:
                raise ServerError(f"the server ended while starting.\n{self._log_tail()}")
            log = self.log.read_text(errors="replace")
            if any(sign in log for sign in LOAD_FAILED):
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

    def _log_tail(self) -> str:
        lines = self.log.read_text().splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([*lines, f"(the end of {self.log})"])

    def _kill(self) -> None:
        """Ends the front end with its workers: asked first, forced after STOP_SECONDS."""
        pid = self.pid
        if pid is None:
            return
        group = os.getpgid(pid)
        for step in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(group, step)
            if _wait(lambda: not _group_exists(group), STOP_SECONDS):
                return

    def _remove_temporary(self) -> None:
        if self._temporary.is_symlink():
            shutil.rmtree(self._temporary.resolve(), ignore_errors=True)
            self._temporary.unlink()


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
