"""Several servers that answer as one."""

import asyncio
import random
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from tqdm import tqdm

from resformer.client.address import Address
from resformer.client.client_errors import ClientError
from resformer.client.client_errors import PhotoError as RefusedPhoto
from resformer.client.faults import WORKER_DIED, fault_of, is_passing, refuses_key
from resformer.client.keys import Key, find_key
from resformer.client.query import Query
from resformer.client.replies import Lost, Reply, parse_body
from resformer.scripts.lib.background_loop import BackgroundLoop
from resformer.scripts.lib.endpoint import Endpoint
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.lib.photo_sources import PhotoError

__all__ = ["Answers", "EndpointError", "EndpointPool", "Patience", "endpoint_keys"]

Answers = dict[str, dict[str, Any]]
"""Entity name to the six keys of a prediction."""

# Of an address that is not that of predictions, or that somebody guards.
REFUSALS = frozenset({401, 403, 404, 405})
PING_SECONDS = 10.0
# As httpx and gRPC call it; a connection that is not made in time is no sign of a busy server.
TIMEOUTS = ("ReadTimeout", "WriteTimeout", "DEADLINE_EXCEEDED")
CANCELLED = Lost("the run has ended")


class EndpointError(ExternalError):
    """No server can be used; the message says why."""


@dataclass(frozen=True)
class Patience:
    """How long servers are waited for.

    Attributes:
        seconds: A run ends where no server has answered anything for so long.
        deaths: A photo is given up after it has met the end of so many workers.
        passed_over: A photo is given up after so many requests in vain, between which others were answered.
        first_wait, max_wait: Seconds before a photo is sent for the second time; before any further one.
    """

    seconds: float = 120.0
    deaths: int = 5
    passed_over: int = 20
    first_wait: float = 0.25
    max_wait: float = 5.0

    def wait(self, tries: int) -> float:
        """Seconds before the next request about a photo; photos that were refused together do not come together."""
        return float(min(self.max_wait, self.first_wait * 2 ** (tries - 1)) * random.uniform(0.5, 1))


PATIENCE = Patience()


class EndpointPool:
    """Asks servers, as many photos at once as they take. Safe to use from several threads.

    A photo goes to the server that has most room. One that does not answer is left out and asked again later; one that
    refuses key or address is left out for good.

    Args:
        urls: Of predictions, by HTTP or gRPC.
        keys: One for all, or one for each.
        options: Of Query, for all photos.
        concurrency: Photos under way at each server, at most.
        patience: How long servers are waited for; None = PATIENCE.

    Raises:
        ValueError: An address is none, or there are more keys than one but not as many as addresses.
        EndpointError: No server is there, or one refuses its key.
    """

    def __init__(
        self,
        urls: Sequence[str],
        keys: Sequence[Key],
        options: Mapping[str, Any],
        *,
        concurrency: int = 64,
        patience: Patience | None = None,
    ):
        addresses = [Address.parse(url) for url in dict.fromkeys(urls)]
        if not addresses:
            raise ValueError("no endpoint is named")
        if len(keys) not in (1, len(addresses)):
            raise ValueError(f"{len(keys)} keys for {len(addresses)} endpoints; give one for all or one for each")
        keys = [*keys] * len(addresses) if len(keys) == 1 else keys
        self._options = dict(options)
        self._patience = patience or PATIENCE
        self._capacity = concurrency * len(addresses)
        self._loop = BackgroundLoop.shared()
        self._under_way: set[Future[Answers]] = set()
        self._loop.run(self._open(addresses, keys, concurrency))

    @property
    def room(self) -> int:
        """Photos that are worth having at hand: those under way, and the next ones."""
        return min(self._capacity, 2 * sum(e.limit.value for e in self._endpoints if not e.is_away)) + 4

    def submit(self, photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> "Future[Answers]":
        """As `answer`, without a wait."""
        future = self._loop.submit(self._answer(photo, entities, about))
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def answer(self, photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        """The answers about a photo, by entity.

        Args:
            about: What else is known of the product: `group_id`, `title`, `description`.

        Raises:
            PhotoError: This photo cannot be answered.
            EndpointError: No server can be used.
        """
        future = self.submit(photo, entities, about)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def limits(self) -> dict[str, int]:
        """How many photos each server is asked about at once now, by its address."""
        return {endpoint.address.url: endpoint.limit.value for endpoint in self._endpoints}

    def close(self) -> None:
        """Ends the connections; what is under way is cancelled."""
        for future in list(self._under_way):
            future.cancel()
        self._loop.run(self._close())

    async def _open(self, addresses: Sequence[Address], keys: Sequence[Key], concurrency: int) -> None:
        self._changed = asyncio.Condition()
        self._answered_at = time.monotonic()
        self._endpoints = [Endpoint(*pair, concurrency) for pair in zip(addresses, keys, strict=True)]
        absences = await asyncio.gather(*map(_absence, self._endpoints))
        if all(absences):
            raise EndpointError("; ".join(absence.message for absence in absences if absence))
        for endpoint, absence in zip(self._endpoints, absences, strict=True):
            if absence:
                endpoint.lost(time.monotonic(), absence)
                _say(f"{absence.message}; it is left out and asked again later")

    async def _close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()

    async def _answer(self, photo: bytes, entities: Sequence[str], about: Mapping[str, str]) -> Answers:
        if not photo:  # as the predictor says it; a server sees a request without a photo
            raise PhotoError("BadRequest: the photo is empty; send the bytes of an image file")
        fields = Query(b"", entities, **{**about, **self._options}).fields()
        last_try = time.monotonic()
        tries = passed_over = deaths = 0
        while True:
            endpoint = await self._free_endpoint()
            key = endpoint.key.value
            sent = endpoint.limit.begin()
            reply: Reply | Lost = CANCELLED
            try:
                reply = await endpoint.send(photo, fields, key)
            finally:
                await self._count(endpoint, sent, reply)
            if isinstance(reply, Reply) and reply.status == 200:
                return _predictions(reply.body, entities, endpoint)
            if refuses_key(reply) and _is_new_key(endpoint.key, key):
                continue
            tries += 1
            address = endpoint.address.url
            fault = fault_of(reply, address=address, has_key=bool(key), attempts=tries)
            if not is_passing(reply):
                self._judge(endpoint, fault)
                continue
            if isinstance(reply, Reply) and reply.status in WORKER_DIED:
                deaths += 1
            if self._answered_at > last_try:
                passed_over += 1
            last_try = time.monotonic()
            self._check_patience(fault, passed_over, deaths)
            asked = reply.retry_after or 0.0 if isinstance(reply, Reply) else 0.0
            await asyncio.sleep(max(self._patience.wait(tries), min(asked, self._patience.seconds)))

    async def _free_endpoint(self) -> Endpoint:
        """The endpoint with most room, as soon as there is one."""
        async with self._changed:
            while True:
                there = [endpoint for endpoint in self._endpoints if not endpoint.is_away]
                if free := [endpoint for endpoint in there if endpoint.limit.room > 0]:
                    return max(free, key=lambda endpoint: endpoint.limit.room / endpoint.limit.value)
                waited_for = [e.absent_until for e in self._endpoints if not e.is_refused and e not in there]
                if not there and not waited_for:
                    raise EndpointError("; ".join(str(e.fault) for e in self._endpoints if e.fault))
                seconds = max(0.01, min(waited_for) - time.monotonic()) if waited_for else None
                try:
                    await asyncio.wait_for(self._changed.wait(), seconds)
                except TimeoutError:
                    continue

    async def _count(self, endpoint: Endpoint, sent: float, reply: Reply | Lost) -> None:
        """Takes note of what a request says about its server."""
        is_reply = isinstance(reply, Reply)
        is_cancelled = reply is CANCELLED
        has_timed_out = isinstance(reply, Lost) and reply.reason.startswith(TIMEOUTS)
        is_refused = has_timed_out or (is_reply and is_passing(reply))
        endpoint.limit.end(sent, answered=is_reply and not is_refused, refused=is_refused)
        if is_reply:
            if not is_refused:
                self._answered_at = time.monotonic()
            if endpoint.found():
                _say(f"{endpoint.address.url} is back")
        elif not has_timed_out and not is_cancelled:
            fault = fault_of(reply, address=endpoint.address.url, has_key=False, attempts=1)
            if endpoint.lost(sent, fault) and len(self._endpoints) > 1:
                _say(f"{fault.message}; it is left out and asked again later")
        async with self._changed:
            # One for the turn that is free, one where the limit has risen.
            self._changed.notify(2)

    def _judge(self, endpoint: Endpoint, fault: ClientError) -> None:
        """What no other try changes: raises where it is the photo, or would be the same at every server."""
        if isinstance(fault, RefusedPhoto):
            raise PhotoError(f"{fault.type}: {fault.message}")
        if fault.type != "InvalidKeyException" and fault.code not in REFUSALS:
            raise EndpointError(str(fault))
        if endpoint.refuse(fault) and len(self._endpoints) > 1:
            _say(f"{fault}; it is left out")

    def _check_patience(self, fault: ClientError, passed_over: int, deaths: int) -> None:
        """Raises where a photo, or all of them, have waited long enough."""
        if deaths >= self._patience.deaths:
            raise PhotoError(f"{fault.type}: {fault.message}")
        if time.monotonic() - self._answered_at > self._patience.seconds:
            raise EndpointError(f"no endpoint has answered for {self._patience.seconds:g} s; the last one: {fault}")
        if passed_over >= self._patience.passed_over:
            raise PhotoError(f"{fault.type}: {fault.message}; others were answered meanwhile")


def endpoint_keys(token: str, key_files: Sequence[Path]) -> list[Key]:
    """The keys of the servers: one for all, or one for each of the files.

    Args:
        token: The key itself; empty = those of the files, or the one that the environment names.
        key_files: Of each server the file with its key, which is read again where a server has a new one.

    Raises:
        ValueError: Both are given, or a file is none.
    """
    if token and key_files:
        raise ValueError("--token and --key-file exclude each other: either is the server's key")
    if key_files:
        return [Key(file=file) for file in key_files]
    return [Key(token) if token else find_key(None, None)]


def _is_new_key(key: Key, sent: str) -> bool:
    """Whether there is another key than the one that was sent; another photo may have found it."""
    return key.value != sent or key.renew()


def _predictions(body: Any, entities: Sequence[str], endpoint: Endpoint) -> Answers:
    answers = body.get("predictions") if isinstance(body, dict) else None
    if not isinstance(answers, dict) or not set(entities) <= answers.keys():
        raise EndpointError(
            f"{endpoint.address.url} does not answer as Resformer does; see that it is the address of its predictions"
        )
    return answers


async def _absence(endpoint: Endpoint) -> ClientError | None:
    """Why nothing can be asked of a server now, if so; raises EndpointError where it refuses the key."""
    address, key = endpoint.address, endpoint.key.value
    if address.is_grpc:
        return None
    try:
        async with httpx.AsyncClient(timeout=PING_SECONDS, trust_env=not address.is_local) as http:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            response = await http.get(urljoin(address.url, "/ping"), headers=headers)
    except httpx.TimeoutException:  # it may be busy
        return None
    except httpx.RequestError as error:
        lost = Lost(f"{type(error).__name__}: {error}")
        return fault_of(lost, address=address.url, has_key=bool(key), attempts=1)
    reply = Reply(response.status_code, parse_body(response.content))
    if refuses_key(reply):
        fault = fault_of(reply, address=address.url, has_key=bool(key), attempts=1)
        raise EndpointError(f"{fault.message}, on the command line --key-file or --token")
    return None


def _say(message: str) -> None:
    tqdm.write(message, file=sys.stderr)
