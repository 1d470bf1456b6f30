"""HTTP sessions that try again, more patiently each time, and heed a server's `Retry-After`."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

__all__ = ["RETRIED_STATUS", "cause", "retrying_session"]

# What a server answers that is busy, starting or out of reach for now.
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
MAX_RETRY_AFTER = 60  # seconds


def retrying_session(*, attempts: int, wait: float, connections: int) -> requests.Session:
    """A session that makes a request again where no answer comes or one of RETRIED_STATUS; the last answer stands.

    Args:
        attempts: How often a request is made at most.
        wait: The second attempt follows at once, the third after twice this many seconds, and so on, doubling.
        connections: How many are kept open to a host.
    """
    retry = Retry(
        total=attempts - 1,
        backoff_factor=wait,
        status_forcelist=RETRIED_STATUS,
        allowed_methods=None,  # all of them: an answer about a photo changes nothing on the server
        raise_on_status=False,
        retry_after_max=MAX_RETRY_AFTER,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=connections, max_retries=retry))
    return session


def cause(error: requests.RequestException) -> str:
    """The kind of failure behind an exception of requests: `NewConnectionError`, `ReadTimeoutError`, ..."""
    inner = error.args[0] if error.args else error
    return type(getattr(inner, "reason", None) or inner).__name__
