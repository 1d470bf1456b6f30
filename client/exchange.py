"""One question and its answer, whatever carries it: what is sent, when it is sent again, and what comes out.

Does nothing itself: `exchange` yields what to do next, and is sent what came of it. A client does it, at once or
asynchronously.
"""

import random
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from resformer.client.client_errors import RequestError
from resformer.client.faults import fault_of, is_passing, refuses_key
from resformer.client.keys import Key
from resformer.client.replies import Lost, Reply
from resformer.client.results import Result

__all__ = ["Retries", "Send", "Wait", "exchange"]

MAX_WAIT = 30.0  # seconds
MAX_RETRY_AFTER = 60.0


@dataclass(frozen=True)
class Send:
    """To do: send this, and give back the Reply, or Lost."""

    photo: bytes
    fields: Mapping[str, str]
    key: str


@dataclass(frozen=True)
class Wait:
    """To do: wait."""

    seconds: float


@dataclass(frozen=True)
class Retries:
    """How often a question is asked again.

    Attributes:
        count: After the first time.
        first: Seconds to wait before the first of them; each further one waits twice as long.
        jitter: A number from 0 to 1: of how the second half of each wait is used, so that clients that were refused
            together do not come back together.
    """

    count: int
    first: float = 0.5
    jitter: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"retries is {self.count}; take 0 or more")

    def waits(self) -> Iterator[float]:
        """Seconds before each retry."""
        for i in range(self.count):
            yield min(MAX_WAIT, self.first * 2**i) * (0.5 + 0.5 * self.jitter())


def exchange(
    photo: bytes, fields: Mapping[str, str], *, key: Key, retries: Retries, address: str
) -> Generator[Send | Wait, Reply | Lost | None, Result]:
    """Asks until there is an answer or no point in asking again; returns the answer.

    Asking again is safe: an answer changes nothing on the server.

    Args:
        photo: The bytes of an image file.
        fields: Of the server's form.
        address: Of the server, for messages.

    Raises:
        ClientError: There is no answer; see its subclasses.
    """
    waits = retries.waits()
    attempts = 0
    while True:
        reply = yield Send(photo, fields, key.value)
        assert reply is not None
        attempts += 1
        if isinstance(reply, Reply) and reply.status == 200:
            return _result(reply.body, address)
        if refuses_key(reply) and key.renew():  # the server has started again
            continue
        wait = next(waits, None) if is_passing(reply) else None
        if wait is None:
            raise fault_of(reply, address=address, has_key=bool(key.value), attempts=attempts)
        asked = reply.retry_after or 0.0 if isinstance(reply, Reply) else 0.0
        yield Wait(max(wait, min(asked, MAX_RETRY_AFTER)))


def _result(body: Any, address: str) -> Result:
    try:
        return Result.model_validate(body)
    except ValidationError as error:
        raise RequestError(
            f"{address} does not answer as Resformer does; see that it is the address of its predictions "
            f"({error.error_count()} faults, such as {error.errors()[0]['msg']})",
            type="UnexpectedAnswer",
            code=200,
        ) from error
