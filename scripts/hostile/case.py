"""One hostile request, and the statuses that a server may answer it with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Call", "Case"]


@dataclass(frozen=True)
class Call:
    """One HTTP request; whoever sends it adds the key."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predictions/resformer"
    method: str = "PUT"


@dataclass(frozen=True)
class Case:
    """A request that means harm.

    Attributes:
        group: What it is about; cases of one group are one row of the published table.
        name: Of this case within its group.
        make: Makes the request.
        statuses: Those that the server may answer with.
    """

    group: str
    name: str
    make: Callable[[], Call]
    statuses: frozenset[int]
