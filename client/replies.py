"""What a server sends back, over HTTP or gRPC."""

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Lost", "Reply", "parse_body"]


@dataclass(frozen=True)
class Reply:
    """An answer or a refusal.

    Attributes:
        status: Of HTTP.
        body: Parsed JSON, or text where it is none.
        retry_after: Seconds after which the server wants to be asked again, if it says so.
    """

    status: int
    body: Any
    retry_after: float | None = None


@dataclass(frozen=True)
class Lost:
    """No reply: the connection was refused or lost, or time ran out. `reason` says what happened."""

    reason: str


def parse_body(data: bytes) -> Any:
    """The JSON value of a body, or its text where it is none, such as the page of a proxy."""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
