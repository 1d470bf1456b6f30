"""The client for programs that run in a loop of asyncio."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, Unpack, overload

import httpx

from resformer.client.address import DEFAULT_URL
from resformer.client.base_client import CONCURRENCY, RETRIES, TIMEOUT, BaseClient
from resformer.client.client_errors import ClientError, PhotoError
from resformer.client.exchange import Wait
from resformer.client.in_order import mapped_async
from resformer.client.photo_bytes import Photo, photo_bytes
from resformer.client.query import Options, Query, queries
from resformer.client.results import Result
from resformer.client.scored_table import ScoredTable
from resformer.client.transports import async_transport

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AsyncClient"]


class AsyncClient(BaseClient):
    """Asks a server from a loop of asyncio; Client has the arguments and errors of each call."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        key_file: str | Path | None = None,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        http: httpx.AsyncClient | None = None,
    ):
        super().__init__(url, key, key_file, retries)
        self._transport = async_transport(self._address, timeout, http)

    async def predict(
        self, photo: Photo, entities: str | Sequence[str] | None = None, **options: Unpack[Options]
    ) -> Result:
        """The answers about one photo, as Client.predict."""
        return await self.ask(Query(photo, entities, **options))

    async def ask(self, query: Query) -> Result:
        """The answer to a query, as Client.ask."""
        steps = self._exchange(await asyncio.to_thread(photo_bytes, query.photo), query)
        step = next(steps)
        while True:
            reply = None
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            else:
                reply = await self._transport.send(step)
            try:
                step = steps.send(reply)
            except StopIteration as end:
                result: Result = end.value
                return result

    @overload
    def predict_many(
        self,
        photos: Iterable[Photo | Query],
        entities: str | Sequence[str] | None = ...,
        *,
        concurrency: int = ...,
        return_errors: Literal[False] = ...,
        **options: Unpack[Options],
    ) -> AsyncIterator[Result]: ...

    @overload
    def predict_many(
        self,
        photos: Iterable[Photo | Query],
        entities: str | Sequence[str] | None = ...,
        *,
        concurrency: int = ...,
        return_errors: Literal[True],
        **options: Unpack[Options],
    ) -> AsyncIterator[Result | PhotoError]: ...

    def predict_many(
        self,
        photos: Iterable[Photo | Query],
        entities: str | Sequence[str] | None = None,
        *,
        concurrency: int = CONCURRENCY,
        return_errors: bool = False,
        **options: Unpack[Options],
    ) -> AsyncIterator[Result | PhotoError]:
        """The answers about many photos, in their order, as they come, as Client.predict_many."""
        asked = queries(photos, entities, **options)
        return mapped_async(self._outcome if return_errors else self.ask, asked, concurrency)

    async def score(
        self,
        table: "pd.DataFrame",
        image_column: str = "image",
        entities: str | Sequence[str] | None = None,
        *,
        title_column: str | None = None,
        description_column: str | None = None,
        group_id_column: str | None = None,
        concurrency: int = CONCURRENCY,
        **options: Unpack[Options],
    ) -> "pd.DataFrame":
        """A table of photos, with the answers behind its columns, as Client.score."""
        columns = {"title": title_column, "description": description_column, "group_id": group_id_column}
        scored = ScoredTable(table, image_column, entities, columns, **options)

        async def outcome(query: Query) -> Result | ClientError:
            if scored.fault:
                return scored.fault
            try:
                return await self.ask(query)
            except ClientError as error:
                return scored.failed(error)

        return scored.frame([o async for o in mapped_async(outcome, scored.queries, concurrency)])

    async def close(self) -> None:
        """Ends the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _outcome(self, query: Query) -> Result | PhotoError:
        try:
            return await self.ask(query)
        except PhotoError as error:
            return error
