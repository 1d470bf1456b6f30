"""One hostile input, and what it may get."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Call", "Case"]


@dataclass(frozen=True)
class Call:
    """One HTTP request, without its key.

    Attributes:
        body: Sent as it is, with its length.
        headers: Beside those that a client needs.
        path: With its query.
        method: Of HTTP.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predictions/resformer"
    method: str = "PUT"


@dataclass(frozen=True)
class Case:
    """A call, and the statuses that it may get behind the proxy.

    Attributes:
        group: What it attacks.
        name: What it is, within its group.
        make: Gives the call, the same each time. Calls are made one by one: some have twenty megabytes.
        statuses: Any other one is a fault of the server.
    """

    group: str
    name: str
    make: Callable[[], Call]
    statuses: frozenset[int]
