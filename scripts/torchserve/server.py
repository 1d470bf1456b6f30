"""One server on this machine: nginx, TorchServe behind it and the monitor beside it; their start, restart and stop.

Needs nothing but Python itself, so that a busy port is reported before anything is installed.
"""

import fcntl
import json
import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from resformer.scripts.torchserve.access_keys import Keys
from resformer.scripts.torchserve.backend import MODEL, Backend, Reply
from resformer.scripts.torchserve.monitor_process import MonitorProcess
from resformer.scripts.torchserve.processes import uninterrupted, wait_until
from resformer.scripts.torchserve.proxy import DRAIN_SECONDS, Addresses, Proxy, find_nginx
from resformer.scripts.torchserve.server_error import ServerError

__all__ = ["DEFAULT_ARCHIVE", "LAST_PORT", "MODEL", "PORTS", "Server", "ServerError", "start_command"]

# In the folder of the server's files.
DEFAULT_ARCHIVE = Path("model_store") / f"{MODEL}.mar"
# What each port is for, counted from the server's own.
PORTS = ("predictions", "management", "metrics", "grpc", "probes")
LAST_PORT = 65535 - len(PORTS) + 1
# Those that other machines may reach. Workers are managed on the machine itself.
EXPOSABLE = tuple(name for name in PORTS if name != "management")
# Monitor and nginx start in less than a second.
REACHABLE_SECONDS = 30.0
TAKEOVER_SECONDS = 15.0
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"


def start_command(port: int) -> str:
    """The commands that serve on a port, for messages."""
    return f"`resformer serve --port {port}` or `make serve PORT={port}`"


def restart_command(port: int) -> str:
    """The commands that serve anew on a port, for messages."""
    return f"`resformer restart --port {port}` or `make restart PORT={port}`"


@dataclass(frozen=True)
class _State:
    """What a running server is made of, as another command needs to know it."""

    archive: str
    keys: str
    exposed: list[str]
    to_console: bool
    backend: str
    public_key: str = ""


@dataclass(frozen=True)
class Server:
    """The server on one port of this machine; several may run side by side.

    Attributes:
        port: Of the predictions; four more follow it.
        root: The folder in which the server keeps its files.
        archive: The file that is served.
        keys_folder: See Keys; None is `keys` in the server's folder, or that of the server that runs.
        exposed: Those of PORTS that other machines reach.
        to_console: Whether the logs of the proxy go to the output of the command instead of files.
        public_key: The file of the key by which the archive must be signed, for those who check it; None = by none.
    """

    port: int
    root: Path = field(default_factory=Path.cwd)
    archive: Path = DEFAULT_ARCHIVE
    keys_folder: Path | None = None
    exposed: Sequence[str] = ()
    to_console: bool = False
    public_key: Path | None = None

    def __post_init__(self) -> None:
        if not 1024 <= self.port <= LAST_PORT:
            raise ValueError(f"port {self.port} cannot be used; take one from 1024 to {LAST_PORT}")
        if unknown := [name for name in self.exposed if name not in EXPOSABLE]:
            raise ValueError(f"{unknown[0]!r} cannot be exposed; {', '.join(EXPOSABLE)} can")

    @property
    def folder(self) -> Path:
        """Where the server runs: configuration, keys, logs."""
        return self.root / "build" / f"serve-{self.port}"

    @property
    def log(self) -> Path:
        """What TorchServe prints."""
        return self.backend.log

    @property
    def keys(self) -> Keys:
        """The keys that calls need."""
        state = self._state()
        return Keys(self.keys_folder or (Path(state.keys) if state else self.folder / "keys"))

    @property
    def key_file(self) -> Path:
        """The keys for predictions, one a line, the newest first."""
        return self.keys.file("inference")

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
        """Of TorchServe's front end, None where it does not run."""
        return self.backend.pid

    @property
    def backend(self) -> Backend:
        """The TorchServe that answers, or that is starting."""
        state = self._state()
        return self._backend(state.backend if state else "backend-1")

    @property
    def proxy(self) -> Proxy:
        """The nginx in front."""
        state = self._state()
        to_console = state.to_console if state else self.to_console
        sockets = (self._monitor.socket, self._monitor.log_socket, self._monitor.status_socket)
        return Proxy(self.folder / "proxy", *sockets, to_console)

    def key(self, kind: str) -> str:
        """The newest key for `inference`, `management` or `metrics`."""
        return self.keys.newest(kind)

    def as_running(self) -> "Server":
        """The same with the archive and the public key of the server that runs.

        Raises:
            ServerError: None runs.
        """
        state = self._running_state()
        public_key = Path(state.public_key) if state.public_key else None
        return replace(self, archive=Path(state.archive), public_key=public_key)

    def check_ports(self) -> None:
        """Raises ServerError where one of the ports is taken."""
        if self.pid is not None or self.proxy.pid is not None:
            raise ServerError(
                f"already serving on port {self.port}; to serve a change, restart it: {restart_command(self.port)}"
            )
        for port, purpose in enumerate(PORTS, self.port):
            with socket.socket() as probe:
                # As servers do: a port is free again at once when its last connections only time out.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self._address(purpose), port))
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
            ServerError: A port is taken, there is no archive, the file is none, nginx is missing, the keys cannot be
                used, another command starts the server, or the server or its first worker did not come up; nothing is
                left running then, nor after an interrupt.
        """
        archive = self._checked_archive()
        find_nginx()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        with self._alone():
            self.check_ports()
            self._end()  # what is left of one that was killed
            self._start(archive, java_home)

    def _start(self, archive: Path, java_home: Path | None) -> None:
        keys = Keys((self.keys_folder or self.folder / "keys").absolute())
        keys.create_missing()
        made_of = (str(archive), str(keys.folder), list(self.exposed), self.to_console, "backend-1", self._required_key)
        self._write_state(_State(*made_of))
        try:
            self.backend.start(archive, java_home)
            self._monitor.make_sockets()
            self._monitor.follow(self.backend)
            accept = [sys.executable, "-m", "resformer", "keys", "accept", "--port", str(self.port)]
            # The folder is named: the environment, which the monitor inherits, may name another one.
            accept += ["--root", str(self.root), "--keys", str(keys.folder)]
            self._monitor.start(self.proxy, keys, accept)
            (self.folder / "proxy").mkdir()
            self.proxy.write_keys(keys)
            self.proxy.write_config(self._addresses(), self.backend)
            self.proxy.start()
            self._wait_until_reachable()
        except BaseException:
            self._end()
            raise

    def restart(self, java_home: Path | None = None) -> None:
        """Serves the archive anew without losing a request: a second TorchServe takes over from the first.

        An interrupt before it takes over gives it up; one after that is ignored.

        Raises:
            ServerError: The server does not run, another command restarts it, or the new TorchServe did not come up or
                not take over: the one before serves on.
        """
        self._running_state()
        with self._alone(), ExitStack() as last_steps:
            state, before = self._running_state(), self.backend
            count = len(before.workers()) if before.pid is not None else None
            # Killed, a restart leaves its own behind, to which nginx may pass on.
            number = max(int(folder.name.rpartition("-")[2]) for folder in [before.folder, *self._backend_folders()])
            after = Backend(self.folder / f"backend-{number + 1}")  # the output of this command is not the server's
            archive = self._checked_archive()
            renewed = replace(state, archive=str(archive), backend=after.folder.name, public_key=self._required_key)
            try:
                after.start(archive, java_home, count)
                last_steps.enter_context(uninterrupted())
                finishing = self._take_over(before, after, renewed)
            except BaseException as error:
                after.remove()
                if isinstance(error, ServerError) and not self.missing_processes():
                    advice = f"Once this is mended, try again: {restart_command(self.port)}"
                    raise ServerError(f"{error}\nThe server before serves on. {advice}") from error
                raise
            self._monitor.follow(after)
            self._drain(finishing)
            self._stop_backends(but=after)

    def _take_over(self, before: Backend, after: Backend, state: _State) -> set[int]:
        """Replaces a TorchServe. Returns the processes of nginx that still pass on to the one before.

        Raises:
            ServerError: nginx stays with the one before.
        """
        try:
            finishing = self._pass_on_to(after)
            self._write_state(state)
        except BaseException:
            with suppress(ServerError, OSError):  # the first one says why
                self._drain(self._pass_on_to(before))
            raise
        return finishing

    def _pass_on_to(self, backend: Backend) -> set[int]:
        finishing = self.proxy.workers()
        self.proxy.write_config(self._addresses(), backend)
        self.proxy.reload()
        # nginx says in its log alone where it stays with the configuration before.
        if not wait_until(lambda: bool(self.proxy.workers() - finishing), TAKEOVER_SECONDS):
            raise ServerError(f"nginx does not take over its new configuration; see {self.proxy.error_log}")
        return finishing

    def _drain(self, finishing: set[int]) -> None:
        wait_until(lambda: not finishing & self.proxy.workers(), DRAIN_SECONDS + 5)

    def stop(self, *, notice_seconds: float = 0.0) -> bool:
        """Stops the server once it has answered the requests under way, or at an interrupt. Returns whether one ran.

        Args:
            notice_seconds: For how long it says that it is not ready and still takes requests: a load balancer needs
                a while to notice.
        """
        running = self.pid is not None or self.proxy.pid is not None
        if running:
            self._ending_file.touch()
        try:
            if running and notice_seconds:
                self._monitor.announce_end()
                time.sleep(notice_seconds)
            self.proxy.drain()
        finally:
            self._end()
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
        self._running_backend().set_workers(count)

    def workers(self) -> list[dict[str, Any]]:
        """`id`, `status`, `pid` and more of each worker; one that is loading has the pid -1.

        Raises:
            ServerError: The server does not run, or does not answer yet.
        """
        return self._running_backend().workers()

    def describe(self) -> dict[str, Any]:
        """A worker's description: version, entities, readers, threads.

        Raises:
            ServerError: No worker answers.
        """
        return self._running_backend().describe()

    def predict(self, photo: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """The server's answer about one photo."""
        headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self._call(self.predictions_url, "inference", photo, headers)

    def processes(self) -> dict[str, int | None]:
        """The processes that were started, each with children of its own; None for one that does not run."""
        return {"nginx": self.proxy.pid, "TorchServe": self.pid, "the monitor": self._monitor.pid}

    def missing_processes(self) -> list[str]:
        """Which of the server's processes do not run."""
        return [name for name, pid in self.processes().items() if pid is None]

    def probe(self, name: str) -> Reply:
        """What the probe `live` or `ready` says.

        Raises:
            OSError: Nothing listens.
        """
        return self._call(f"http://127.0.0.1:{self.port + PORTS.index('probes')}/{name}", None, None, {})

    def accept_keys(self) -> None:
        """Has the running proxy take over what the key files have now.

        Raises:
            ServerError: The server does not run, or a key file is missing or unusable; the keys before stay accepted.
        """
        self._running_state()
        self.proxy.write_keys(self.keys)
        self.proxy.reload()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other commands from starting or restarting this server meanwhile."""
        # Beside the folder, all of whose files go. A folder itself cannot be locked on every file system.
        lock = os.open(self.folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ServerError(
                    f"another command starts or restarts the server on port {self.port}; wait for its end"
                ) from error
            yield
        finally:
            os.close(lock)

    @property
    def _required_key(self) -> str:
        return str(self.public_key.absolute()) if self.public_key else ""

    @property
    def _monitor(self) -> MonitorProcess:
        return MonitorProcess(self.folder)

    @property
    def is_ending(self) -> bool:
        """Whether a command stops it, or has stopped it."""
        return self._ending_file.exists() or not self._state_file.exists()

    @property
    def _ending_file(self) -> Path:
        return self.folder / "ending"

    @property
    def _state_file(self) -> Path:
        return self.folder / "state.json"

    def _state(self) -> _State | None:
        try:
            return _State(**json.loads(self._state_file.read_text()))
        except FileNotFoundError:
            return None

    def _running_state(self) -> _State:
        """Raises ServerError where the server does not run."""
        state = self._state()
        if state is None or self.proxy.pid is None:
            raise ServerError(f"nothing is serving on port {self.port}; start it: {start_command(self.port)}")
        return state

    def _write_state(self, state: _State) -> None:
        new = self._state_file.with_suffix(".new")
        new.write_text(json.dumps(asdict(state), indent=2))
        new.replace(self._state_file)

    def _address(self, purpose: str) -> str:
        state = self._state()
        exposed = state.exposed if state else self.exposed
        return EVERYWHERE if purpose in exposed else LOOPBACK

    def _addresses(self) -> Addresses:
        return Addresses(
            **{purpose: f"{self._address(purpose)}:{port}" for port, purpose in enumerate(PORTS, self.port)}
        )

    def _backend(self, name: str) -> Backend:
        state = self._state()
        return Backend(self.folder / name, state.to_console if state else self.to_console)

    def _checked_archive(self) -> Path:
        archive = (self.root / self.archive).resolve()
        if not archive.is_file():
            raise ServerError(f"no archive at {archive}; build it: `resformer archive --out {archive}`")
        if not zipfile.is_zipfile(archive):
            raise ServerError(f"{archive} is no archive; name one that `resformer archive` built")
        return archive

    def _running_backend(self) -> Backend:
        backend = self.backend
        if backend.pid is None:
            self._running_state()
            raise ServerError(
                f"TorchServe ended, and calls get 503; start another one: {restart_command(self.port)}; "
                f"{backend.log} may say why"
            )
        return backend

    def _wait_until_reachable(self) -> None:
        def reachable() -> bool:
            try:
                return self.probe("ready").status == 200
            except OSError:
                return False

        if not wait_until(reachable, REACHABLE_SECONDS):
            logs = [file for file in (self._monitor.log, self.proxy.error_log) if file.exists()]
            said = [file.read_text(errors="replace") for file in logs]
            raise ServerError(f"the server does not become ready.\n{''.join(said)[-2000:]}")

    def _call(self, url: str, key: str | None, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        request = urllib.request.Request(url, body, dict(headers), method="GET" if body is None else "PUT")
        if key:
            request.add_header("Authorization", f"Bearer {self.key(key)}")
        # Without the proxy that the environment may name: the server is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120.0) as reply:
                status, answer = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        return Reply.of(status, answer)

    def _end(self) -> None:
        self.proxy.stop()
        self._stop_backends()
        self._monitor.stop()
        self._remove_files()

    def _stop_backends(self, but: Backend | None = None) -> None:
        """Ends every TorchServe of this server, also one that a command which was killed left; spares one."""
        for folder in self._backend_folders():
            if but is None or folder != but.folder:
                Backend(folder).remove()

    def _backend_folders(self) -> list[Path]:
        return list(self.folder.glob("backend-*"))

    def _remove_files(self) -> None:
        """All but the keys, which callers know."""
        if not self.folder.exists():
            return
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                if path.name != "keys":
                    shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)  # another command may stop it too
