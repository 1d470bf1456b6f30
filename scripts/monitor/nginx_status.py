"""nginx's page stub_status: connections at this moment."""

import re
from pathlib import Path

from resformer.scripts.lib.unix_http import exchange

__all__ = ["STATUS_PATH", "connections"]

STATUS_PATH = "/nginx_status"
"""Where a server of nginx that listens on a unix socket answers with `stub_status`."""
FORM = re.compile(rb"Active connections: (\d+)\s.*Reading: (\d+) Writing: (\d+) Waiting: (\d+)", re.DOTALL)
TIMEOUT = 1.0


def connections(socket: Path) -> dict[str, int]:
    """How many connections are `reading` a request, `writing` an answer or `waiting` for a request; without this one.

    Raises:
        OSError: nginx does not answer there, or with something else.
    """
    status, body = exchange(socket, "GET", STATUS_PATH, timeout=TIMEOUT)
    found = FORM.match(body)
    if status != 200 or not found:
        raise OSError(f"no stub_status at {socket}{STATUS_PATH}: status {status}")
    _, reading, writing, waiting = map(int, found.groups())
    return {"reading": reading, "writing": max(0, writing - 1), "waiting": waiting}
