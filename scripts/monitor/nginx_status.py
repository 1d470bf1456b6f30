"""nginx's page stub_status: connections at this moment, and how many requests there were."""

import re
from dataclasses import dataclass
from pathlib import Path

from resformer.scripts.lib.unix_http import exchange

__all__ = ["STATUS_PATH", "NginxStatus", "ask_nginx"]

STATUS_PATH = "/nginx_status"
"""Where a server of nginx that listens on a unix socket answers with `stub_status`."""
FORM = re.compile(
    rb"Active connections: \d+\s.*\n *\d+ \d+ (\d+).*Reading: (\d+) Writing: (\d+) Waiting: (\d+)", re.DOTALL
)
TIMEOUT = 1.0


@dataclass(frozen=True)
class NginxStatus:
    """nginx now.

    Attributes:
        requests: Since nginx was started, also those whose line of the access log was lost.
        reading, writing, waiting: Connections that read a request, write an answer, or wait for a request; without the
            one that asks.
    """

    requests: int
    reading: int
    writing: int
    waiting: int


def ask_nginx(socket: Path) -> NginxStatus:
    """What nginx says.

    Raises:
        OSError: nginx does not answer there, or with something else.
    """
    status, body = exchange(socket, "GET", STATUS_PATH, timeout=TIMEOUT)
    found = FORM.match(body)
    if status != 200 or not found:
        raise OSError(f"no stub_status at {socket}{STATUS_PATH}: status {status}")
    requests, reading, writing, waiting = map(int, found.groups())
    return NginxStatus(requests, reading, max(0, writing - 1), waiting)
