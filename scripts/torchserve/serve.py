"""Serves an archive on this machine: the logic behind `resformer serve | restart | stop | status | scale`."""

import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resformer.scripts.lib.sample_photo import draw_sample_photo
from resformer.scripts.monitor.health_report import health_lines, parse_probe
from resformer.scripts.torchserve.capacity import check_capacity, resident_bytes
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.processes import INTERRUPTS
from resformer.scripts.torchserve.server import Server, ServerError

__all__ = ["copy_lines", "print_status", "restart", "run", "scale", "start", "stop"]

SAMPLE_ENTITY = "item_weight"
# Between two looks at the processes of a server in the foreground.
WATCH_SECONDS = 1.0


def start(server: Server) -> None:
    """Starts the server, asks it about the sample photo, and prints the answer with lines to copy.

    Raises:
        ServerError: It does not come up. Nothing is left running then, nor after Ctrl-C or SIGTERM.
    """
    server.check_ports()
    sample = _sample(server)
    draw_sample_photo(sample)
    java = java_home()
    print("starting TorchServe and one worker ...", flush=True)
    with _terminated_as_exception(_interrupts()):
        started = time.monotonic()
        server.start(java)
        try:
            print(f"ready after {time.monotonic() - started:.1f} s, log in {_short(server.log)}\n", flush=True)
            _show_answer(server, sample)
        except BrokenPipeError:  # as of `make serve | head`: the server serves
            raise
        except BaseException:
            server.stop()
            raise


def run(server: Server, *, notice_seconds: float) -> bool:
    """Serves until SIGTERM or Ctrl-C, then answers what is under way and ends.

    Args:
        server: Not yet started.
        notice_seconds: See Server.stop.

    Returns:
        Whether it was asked to end, by a signal or another command; False where one of its processes ended by itself.

    Raises:
        ServerError: It does not come up.
    """
    interrupts = _interrupts()
    with _terminated_as_exception(interrupts):
        server.start(java_home())
        try:
            print(f"serving {server.predictions_url}", flush=True)
            while not (missing := server.missing_processes()):
                time.sleep(WATCH_SECONDS)
        except (KeyboardInterrupt, SystemExit):
            print("ending: answering the requests under way", flush=True)
            with _terminated_as_exception(interrupts):  # a second one ends it at once
                server.stop(notice_seconds=notice_seconds)
            return True
    asked = server.is_ending
    if not asked:
        print(f"ended by itself: {', '.join(missing)}; stopping the rest", file=sys.stderr, flush=True)
    server.stop()
    return asked


def restart(server: Server) -> None:
    """Serves the archive as it is now, without losing a request.

    Raises:
        ServerError: The server does not run, or does not come up anew: the one before serves on.
    """
    print("starting a second TorchServe, which takes over once it is ready ...", flush=True)
    started = time.monotonic()
    with _terminated_as_exception(_interrupts()):
        server.restart(java_home())
    print(f"took over after {time.monotonic() - started:.1f} s, log in {_short(server.log)}")


def stop(server: Server) -> None:
    """Stops the server, after the answers to the requests under way."""
    print(f"stopped the server on port {server.port}" if server.stop() else f"nothing serves on port {server.port}")


def print_status(server: Server) -> bool:
    """Prints how the server is, its workers, and the lines to copy where calls are answered; returns whether they are.

    Raises:
        ServerError: The server does not run, or does not answer yet.
    """
    workers = server.workers()
    ready = [worker for worker in workers if worker["status"] == "READY"]
    print(f"port {server.port}: {len(ready)} of {len(workers)} workers ready, log in {_short(server.log)}")
    for worker in workers:
        print(f"worker {worker['id']}: {_worker_state(worker)}")
    is_ready, lines = _health(server)
    print("\n".join(lines), file=sys.stdout if is_ready else sys.stderr)
    if not is_ready:
        return False
    try:
        described = server.describe()
    except ServerError as error:
        print(f"the workers are busy: {error}", file=sys.stderr)
        return True
    print(f"version {described['version']}, reader {described['reader']}, {described['threads']} thread(s) each\n")
    print("\n".join(copy_lines(server, _shown_entity(described))))
    return True


def scale(server: Server, workers: int) -> bool:
    """Sets the number of workers and prints the status; returns whether a worker is ready.

    Raises:
        ValueError: The machine does not carry as many.
        ServerError: The server does not run, or the workers did not come up; there are as many as before then.
    """
    check_capacity(workers, server.workers())
    server.scale(workers)
    return print_status(server)


def copy_lines(server: Server, entity: str = SAMPLE_ENTITY) -> list[str]:
    """Commands that a user can paste into a shell in the current folder."""
    photo = shlex.quote(str(_short(_sample(server))))
    call = 'curl -H "Authorization: Bearer $KEY"'
    scaled = f"{server.management_url}?min_worker=2&max_worker=2&synchronous=true"
    return [
        f"export KEY=$({_key_command(server, 'inference')})",
        "# one entity",
        f'{call} -H "X-Entity-Name: {entity}" -T {photo} {server.predictions_url}',
        "# all entities",
        f"{call} -T {photo} {server.predictions_url}",
        "# all entities by the built-in networks alone: faster, less accurate",
        f'{call} -H "X-Reader: builtin" -T {photo} {server.predictions_url}',
        f"# two workers; so do `resformer scale 2 --port {server.port}` and `make scale N=2 PORT={server.port}`",
        f"ADMIN=$({_key_command(server, 'management')})",
        f'curl -X PUT -H "Authorization: Bearer $ADMIN" "{scaled}"',
    ]


def _health(server: Server) -> tuple[bool, list[str]]:
    """Whether calls are answered now, as they find it: through the proxy; and what there is to say about it."""
    if missing := server.missing_processes():
        return False, [f"{', '.join(missing)} ended: stop the server and start it again"]
    try:
        ready, live = (server.probe(name) for name in ("ready", "live"))
    except OSError as error:
        return False, [f"calls are not answered: {error}"]
    bodies = [parse_probe(reply.status, json.dumps(reply.body).encode()) for reply in (ready, live)]
    return ready.status == 200, health_lines(*bodies)


def _show_answer(server: Server, sample: Path) -> None:
    entity = _shown_entity(server.describe())
    started = time.monotonic()
    reply = server.predict(sample.read_bytes(), {"X-Entity-Name": entity})
    milliseconds = 1000 * (time.monotonic() - started)
    if reply.status != 200:
        raise ServerError(f"the server answered the sample photo with {reply.status}: {reply.body}")
    shown = json.dumps(reply.body, indent=2)
    print(f"The {entity} on {_short(sample)}, in {milliseconds:.0f} ms:\n{shown}\n")
    print("Lines to copy; name a photo of your own after -T:\n")
    print("\n".join(copy_lines(server, entity)))


def _shown_entity(described: Mapping[str, Any]) -> str:
    names = [str(entity["name"]) for entity in described["entities"]]
    return SAMPLE_ENTITY if SAMPLE_ENTITY in names else names[0]


def _worker_state(worker: Mapping[str, Any]) -> str:
    if worker["status"] == "READY":
        return f"ready, pid {worker['pid']}, {resident_bytes(worker['pid']) / 2**20:.0f} MiB"
    # TorchServe calls a worker that loads UNLOADING.
    return f"loading the network, pid {worker['pid']}" if worker["pid"] > 0 else "starting its process"


def _interrupts() -> list[signal.Signals]:
    """The signals that end this command: not those that it is to ignore, by `nohup` or as a job in the background."""
    return [number for number in INTERRUPTS if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def _terminated_as_exception(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Makes signals raise SystemExit, or KeyboardInterrupt as Ctrl-C does, so that what was started is stopped.

    The first of them is the last: nothing interrupts what it brings about, but for another such block.
    """

    def interrupt(number: int, _: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)  # as shells say it

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sample(server: Server) -> Path:
    return server.root / "build" / "sample.jpg"


def _key_command(server: Server, kind: str) -> str:
    return f"head -n 1 {shlex.quote(str(_short(server.keys.file(kind))))}"


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
