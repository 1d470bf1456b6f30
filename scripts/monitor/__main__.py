"""Starts the monitor: `python -m resformer.scripts.monitor --help`."""

import argparse
import logging
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from resformer.scripts.monitor.log_rotation import LogRotation
from resformer.scripts.monitor.monitor import MonitorOptions, run
from resformer.scripts.monitor.reload_command import reload_by_command

__all__ = ["main", "parse_options"]


def parse_options(arguments: Sequence[str]) -> MonitorOptions:
    """The options of a command line. Raises SystemExit where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m resformer.scripts.monitor", description=sys.modules[__name__].__doc__
    )
    parser.add_argument("--folder", type=Path, required=True, help="of the server, with backend.json")
    parser.add_argument("--listen", type=Path, metavar="SOCKET", help="default: FOLDER/monitor.sock")
    parser.add_argument("--access-log", type=Path, metavar="SOCKET", help="where nginx sends its access log")
    parser.add_argument("--nginx-status", type=Path, metavar="SOCKET", help="where nginx answers /nginx_status")
    parser.add_argument("--keys", type=Path, metavar="FOLDER", help="keys that nginx checks; needs --reload")
    parser.add_argument("--reload", metavar="COMMAND", help="has nginx take other keys; exits with 0 where it does")
    parser.add_argument(
        "--rotate", type=Path, metavar="FILE", nargs="+", help="nginx's logs, begun anew at 100 MB; needs --nginx-pid"
    )
    parser.add_argument("--nginx-pid", type=Path, metavar="FILE", help="where nginx keeps its number")
    parser.add_argument("--poll-seconds", type=float, default=1.0, help="between two questions to TorchServe")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        parser.error(f"--folder {given.folder} is no folder")
    if given.keys and not given.reload:
        parser.error("--keys needs --reload: how nginx is told to take them")
    if not 0.1 <= given.poll_seconds <= 60:
        parser.error("--poll-seconds must be 0.1 to 60")
    if given.rotate and not given.nginx_pid:
        parser.error("--rotate needs --nginx-pid: nginx is told to open its logs anew")
    return MonitorOptions(
        folder=given.folder,
        listen=given.listen or given.folder / "monitor.sock",
        access_log=given.access_log,
        nginx_status=given.nginx_status,
        keys=given.keys,
        reload=reload_by_command(shlex.split(given.reload)) if given.reload else None,
        rotation=LogRotation(given.rotate, given.nginx_pid) if given.rotate else None,
        poll_seconds=given.poll_seconds,
    )


def main(arguments: Sequence[str]) -> int:
    """Runs the monitor until SIGTERM or SIGINT; returns the exit code."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    options = parse_options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(options, stop)
    except OSError as error:
        print(f"monitor: {error}; name sockets in folders that there are, by paths below 108 bytes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
