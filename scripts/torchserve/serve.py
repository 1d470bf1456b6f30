"""Serves the archive on this machine. `make serve`, `make stop`, `make status` and `make scale` come through here.

python -m scripts.torchserve.serve check | start | stop | status | scale --workers N      [--port 8080]
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from resformer.scripts.torchserve.server import ROOT, Server, ServerError, resident_bytes

__all__ = ["copy_lines", "main"]

SAMPLE = ROOT / "build" / "sample.jpg"


def check(server: Server) -> None:
    """Fails with one sentence where the server cannot have its ports."""
    server.check_ports()


def start(server: Server) -> None:
    """Starts the server, asks it about the sample photo, and prints the answer with lines to copy."""
    # Here and not at the top: `check` runs before anything is installed.
    from resformer.scripts.sample_photo import draw_sample_photo
    from resformer.scripts.torchserve.java import java_home

    draw_sample_photo(SAMPLE)
    server.check_ports()
    java = java_home()
    print("starting TorchServe and one worker ...", flush=True)
    begin = time.monotonic()
    server.start(java)
    print(f"ready after {time.monotonic() - begin:.1f} s, log in {_short(server.log)}\n")
    begin = time.monotonic()
    reply = server.predict(SAMPLE.read_bytes(), {"X-Entity-Name": "item_weight"})
    milliseconds = 1000 * (time.monotonic() - begin)
    if reply.status != 200:
        raise ServerError(f"the server runs, but answered the sample photo with {reply.status}: {reply.body}")
    print(f"The item_weight on {_short(SAMPLE)}, in {milliseconds:.0f} ms:\n{json.dumps(reply.body, indent=2)}\n")
    print("Lines to copy; name a photo of your own after -T:\n")
    print("\n".join(copy_lines(server)))


def stop(server: Server) -> None:
    """Stops the server."""
    print(f"stopped the server on port {server.port}" if server.stop() else f"nothing serves on port {server.port}")


def status(server: Server) -> None:
    """Prints whether the server runs, and its workers."""
    workers = server.workers()
    print(f"serving on {server.predictions_url}, log in {_short(server.log)}")
    for worker in workers:
        memory = resident_bytes(worker["pid"]) / 2**20
        print(f"worker {worker['id']}: {worker['status']}, pid {worker['pid']}, {memory:.0f} MiB")
    if workers:
        described = server.describe()
        print(f"reader {described['reader']}, {described['threads']} thread(s) each")


def scale(server: Server, workers: int) -> None:
    """Sets the number of workers."""
    server.scale(workers)
    status(server)


def copy_lines(server: Server) -> list[str]:
    """Commands that a user can paste into a shell in the checkout's folder."""
    photo = shlex.quote(str(_short(SAMPLE)))
    call = 'curl -H "Authorization: Bearer $KEY"'
    scaled = f"{server.management_url}?min_worker=2&max_worker=2&synchronous=true"
    return [
        f"KEY=$({_key_command(server, 'inference')})",
        "# one entity",
        f'{call} -H "X-Entity-Name: item_weight" -T {photo} {server.predictions_url}',
        "# all entities",
        f"{call} -T {photo} {server.predictions_url}",
        "# all entities without any OCR engine: faster, less accurate",
        f'{call} -H "X-Reader: none" -T {photo} {server.predictions_url}',
        "# two workers instead of one; `make scale N=2` does the same",
        f"ADMIN=$({_key_command(server, 'management')})",
        f'curl -X PUT -H "Authorization: Bearer $ADMIN" "{scaled}"',
    ]


def _key_command(server: Server, kind: str) -> str:
    file = json.dumps(str(_short(server.key_file)))
    return "python3 -c " + shlex.quote(f'import json; print(json.load(open({file}))["{kind}"]["key"])')


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main() -> None:
    """Runs one command."""
    parser = argparse.ArgumentParser(description="Serve the archive on this machine.")
    commands: dict[str, Callable[[Server], None]] = {
        "check": check,
        "start": start,
        "stop": stop,
        "status": status,
        "scale": lambda server: scale(server, arguments.workers),
    }
    parser.add_argument("command", choices=commands)
    parser.add_argument("--port", type=int, default=8080, help="of the predictions; the four after it are used too")
    parser.add_argument("--workers", type=int, help="how many to scale to")
    arguments = parser.parse_args()
    if (arguments.command == "scale") != (arguments.workers is not None):
        parser.error("`scale` and --workers go together: make scale N=2")
    try:
        commands[arguments.command](Server(arguments.port))
    except (ServerError, subprocess.CalledProcessError) as error:
        sys.exit(f"serve: {error}")


if __name__ == "__main__":
    main()
