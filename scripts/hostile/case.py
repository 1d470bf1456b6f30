"""One hostile input: what is sent, and which statuses may answer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Call", "Case"]


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        body: as it is sent.
        headers: without the key.
        path: of the address. method: PUT or another.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predictions/resformer"
    method: str = "PUT"


@dataclass(frozen=True)
class Case:
    """A hostile input.

    Attributes:
        group: what it attacks.
        name: unique in its group.
        make: makes the request, the same each time.
        statuses: that may answer it.
    """

    group: str
    name: str
    make: Callable[[], Call]
    statuses: frozenset[int]
