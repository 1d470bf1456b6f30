"""The monitor as a whole: what it knows, what it answers, and its threads."""

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from resformer.scripts.monitor.backend_file import Backend, BackendError, read_backend
from resformer.scripts.monitor.health import Limits, is_draining, live, ready
from resformer.scripts.monitor.kept_folder import KeptFolder
from resformer.scripts.monitor.key_watch import KeyWatch
from resformer.scripts.monitor.log_receiver import LogReceiver
from resformer.scripts.monitor.log_rotation import LogRotation
from resformer.scripts.monitor.management import ask_model
from resformer.scripts.monitor.monitor_metrics import AccessMetrics, Sample, StateCollector
from resformer.scripts.monitor.nginx_status import ask_nginx
from resformer.scripts.monitor.probe_server import Answer, ProbeServer
from resformer.scripts.monitor.torchserve_metrics import fetch_metrics
from resformer.scripts.monitor.worker_history import WorkerHistory

__all__ = ["Monitor", "MonitorOptions", "run"]

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
RELOAD_OUTCOMES = ("done", "failed", "refused")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MonitorOptions:
    """What a monitor watches.

    Attributes:
        folder: Of the server, with BACKEND_FILE and, while it drains, DRAINING_FILE.
        listen: The socket that answers probes.
        access_log: The socket that nginx's access log comes to; None: there is none.
        nginx_status: The socket of nginx's stub_status; None: there is none.
        keys: The folder of keys; None: nobody watches them.
        reload: Has nginx take other keys.
        rotation: Of nginx's logs; None: nobody rotates them.
        poll_seconds: Between two questions to the management API.
        key_seconds: Between two looks at the keys.
    """

    folder: Path
    listen: Path
    access_log: Path | None = None
    nginx_status: Path | None = None
    keys: Path | None = None
    reload: Callable[[], None] | None = None
    rotation: LogRotation | None = None
    poll_seconds: float = 1.0
    key_seconds: float = 2.0
    limits: Limits = field(default_factory=Limits)


class Monitor:
    """Knows how TorchServe, its workers and nginx are.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, options: MonitorOptions, clock: Callable[[], float] = time.monotonic):
        if options.keys and not options.reload:
            raise ValueError("keys are watched to have nginx take them: say how it is told")
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._history = WorkerHistory(clock())
        self._silence = ""
        self._kept = KeptFolder()
        self._registry = CollectorRegistry()
        self.access = AccessMetrics(self._registry)
        self._keys = KeyWatch(options.keys, options.reload) if options.keys and options.reload else None
        self._state = StateCollector(self._samples)

    def poll(self) -> None:
        """Asks the management API, and remembers what it says. Keeps the folder of TorchServe's files."""
        try:
            backend = read_backend(self._options.folder)
            with contextlib.suppress(OSError):  # it is gone, or the next poll locks it
                self._kept.keep(backend.management.parent)
            state = ask_model(backend)
        except BackendError as error:
            with self._lock:
                self._history.add_silence()
            self._say_silence(str(error))
            return
        with self._lock:
            restarts = self._history.add(backend, state, self._clock())
        self._say_silence("")
        if restarts:
            logger.warning("%d worker(s) were started again, %d in all", restarts, self._history.restarts)

    def look_at_keys(self) -> None:
        """Has nginx take the keys where they changed."""
        if self._keys:
            self._keys.look()

    def ready(self) -> Answer:
        """Of /ready."""
        draining = is_draining(self._options.folder)
        with self._lock:
            verdict = ready(self._history, self._clock(), draining=draining, limits=self._options.limits)
        return Answer.of_json(verdict.status, verdict.body)

    def live(self) -> Answer:
        """Of /live."""
        with self._lock:
            verdict = live(self._history, self._clock(), limits=self._options.limits)
        return Answer.of_json(verdict.status, verdict.body)

    def metrics(self) -> Answer:
        """Of /metrics: its own, then TorchServe's."""
        own = generate_latest(self._registry) + generate_latest(_once(self._state))
        backend = self._backend()
        theirs = fetch_metrics(backend) if backend else None
        up = Sample(
            "resformer_torchserve_metrics_up", "Whether TorchServe's own metrics are here.", {"": theirs is not None}
        )
        own += generate_latest(_once(StateCollector(lambda: [up])))
        return Answer(200, own + (theirs or b""), METRICS_TYPE)

    def _backend(self) -> Backend | None:
        try:
            return read_backend(self._options.folder)
        except BackendError:
            return None

    def _say_silence(self, reason: str) -> None:
        """Logs that TorchServe went silent, and that it is back; not each time."""
        if bool(reason) != bool(self._silence):
            logger.warning("%s", reason or "TorchServe answers")
        self._silence = reason

    def _samples(self) -> Iterator[Sample]:
        options = self._options
        with self._lock:
            now = self._clock()
            history = self._history
            state, restarts, since = history.state, history.restarts, now - history.ready_at
            draining = is_draining(options.folder)
            is_ready = ready(history, now, draining=draining, limits=options.limits).good
            is_live = live(history, now, limits=options.limits).good
        yield Sample("resformer_ready", "Whether /ready is 200.", {"": is_ready})
        yield Sample("resformer_live", "Whether /live is 200.", {"": is_live})
        yield Sample("resformer_draining", "Whether the server is about to stop.", {"": draining})
        yield Sample("resformer_management_up", "Whether the management API answers.", {"": state is not None})
        yield Sample(
            "resformer_worker_restarts_total", "Processes of workers that replaced another one.", {"": restarts}
        )
        yield Sample("resformer_worker_ready_age_seconds", "Since a worker was last ready.", {"": since})
        if state is not None:
            counts = {"ready": state.ready, "loading": len(state.workers) - state.ready}
            yield Sample("resformer_workers", "Workers, by whether they take requests.", counts, "state")
            yield Sample("resformer_queue_length", "Requests that wait for a worker.", {"": state.queued})
            yield Sample("resformer_queue_capacity", "Requests that may wait for a worker.", {"": state.capacity})
        disk = shutil.disk_usage(options.folder)
        yield Sample("resformer_disk_free_bytes", "Free on the disk of the server's folder.", {"": disk.free})
        yield Sample("resformer_disk_size_bytes", "Size of the disk of the server's folder.", {"": disk.total})
        if self._keys:
            reloads = {outcome: self._keys.reloads[outcome] for outcome in RELOAD_OUTCOMES}
            yield Sample("resformer_keys_valid", "Whether the keys of the folder can be used.", {"": self._keys.valid})
            yield Sample(
                "resformer_key_changes_total", "Changes of the keys, by what came of them.", reloads, "outcome"
            )
        if options.nginx_status:
            yield from _nginx_samples(options.nginx_status)


def run(options: MonitorOptions, stop: threading.Event) -> None:
    """Runs a monitor until the event; its sockets are removed then.

    Raises:
        OSError: A socket cannot be bound.
    """
    monitor = Monitor(options)
    monitor.poll()
    server = ProbeServer(options.listen, {"/ready": monitor.ready, "/live": monitor.live, "/metrics": monitor.metrics})
    receiver = LogReceiver(options.access_log, monitor.access.take) if options.access_log else None
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True),
        threading.Thread(target=_repeat, args=(monitor.poll, options.poll_seconds, stop), daemon=True),
        threading.Thread(target=_repeat, args=(monitor.look_at_keys, options.key_seconds, stop), daemon=True),
    ]
    if options.rotation:
        threads.append(
            threading.Thread(target=_repeat, args=(options.rotation.look, options.key_seconds, stop), daemon=True)
        )
    if receiver:
        threads.append(threading.Thread(target=receiver.run, args=(stop,), daemon=True))
    for thread in threads:
        thread.start()
    try:
        stop.wait()
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join(2.0)
        for socket in (options.listen, options.access_log):
            if socket:
                socket.unlink(missing_ok=True)


def _repeat(action: Callable[[], None], seconds: float, stop: threading.Event) -> None:
    """An error of one time is logged, and the next time comes: the monitor outlives what it watches."""
    while not stop.wait(seconds):
        try:
            action()
        except Exception:
            logger.exception("the monitor failed, and tries again")


def _nginx_samples(socket: Path) -> Iterator[Sample]:
    try:
        nginx = ask_nginx(socket)
    except OSError:
        nginx = None
    yield Sample("resformer_nginx_up", "Whether nginx tells its connections.", {"": nginx is not None})
    if nginx:
        counts = {"reading": nginx.reading, "writing": nginx.writing, "waiting": nginx.waiting}
        yield Sample("resformer_http_connections", "nginx's connections, by what they do.", counts, "state")
        yield Sample("resformer_nginx_requests_total", "Requests, by nginx itself.", {"": nginx.requests})


def _once(collector: StateCollector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry
