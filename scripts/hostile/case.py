"""A hostile call, and the statuses that may answer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Call", "Case"]


@dataclass(frozen=True)
class Call:
    """One HTTP call."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predictions/resformer"
    method: str = "PUT"


@dataclass(frozen=True)
class Case:
    """A call that is made when it is sent, always the same.

    Attributes:
        group: of cases of one kind. name: unique in it.
        statuses: that are right answers.
    """

    group: str
    name: str
    make: Callable[[], Call]
    statuses: frozenset[int]
