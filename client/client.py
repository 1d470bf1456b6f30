"""The client for programs that wait for each answer."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, Unpack, overload

import httpx

from resformer.client.address import DEFAULT_URL
from resformer.client.base_client import CONCURRENCY, RETRIES, TIMEOUT, BaseClient
from resformer.client.client_errors import ClientError, PhotoError
from resformer.client.exchange import Wait
from resformer.client.in_order import mapped
from resformer.client.photo_bytes import Photo, photo_bytes
from resformer.client.query import Options, Query, queries
from resformer.client.results import Result
from resformer.client.scored_table import ScoredTable
from resformer.client.transports import transport

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Client"]


class Client(BaseClient):
    """Asks a server. Safe to call from several threads; AsyncClient is the same for asyncio.

    Args:
        url: Of the predictions; `grpc://127.0.0.1:8083` (or `grpcs`, with TLS) asks by gRPC.
        key, key_file: The inference key, or the file that has it in its first line, read again when the server has new
            keys. Without both $RESFORMER_KEY, $RESFORMER_KEY_FILE or $RESFORMER_TOKEN; without these, or with an
            empty key, requests go without one.
        timeout: Seconds to wait for an answer.
        retries: How often a request is sent again where the server is busy (503 and the like) or the connection is
            refused or lost; waits double from half a second, with jitter, or are what `Retry-After` asks for.
        http: A client of httpx with certificates, proxies or other settings of your own, `timeout` among them; it
            is not closed.

    Raises:
        ValueError: The address, the key file or a number cannot be used.
        ImportError: A package is missing that gRPC needs.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        key_file: str | Path | None = None,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        http: httpx.Client | None = None,
    ):
        super().__init__(url, key, key_file, retries)
        self._transport = transport(self._address, timeout, http)

    def predict(self, photo: Photo, entities: str | Sequence[str] | None = None, **options: Unpack[Options]) -> Result:
        """The answers about one photo.

        Args:
            photo: A path, the bytes of an image file, an open file or a PIL image, which is sent as a PNG.
            entities: Names to answer; none = all.
            options: `title`, `description`, `group_id`, `reader`, `top_k`, `min_confidence` and `assume_present`, see
                Query.

        Raises:
            ValueError: An option is out of its range.
            ClientError: There is no answer: PhotoError, RequestError or Unavailable.
        """
        return self.ask(Query(photo, entities, **options))

    def ask(self, query: Query) -> Result:
        """The answer to a query; raises as `predict`."""
        steps = self._exchange(photo_bytes(query.photo), query)
        step = next(steps)
        while True:
            reply = None
            if isinstance(step, Wait):
                time.sleep(step.seconds)
            else:
                reply = self._transport.send(step)
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
    ) -> Iterator[Result]: ...

    @overload
    def predict_many(
        self,
        photos: Iterable[Photo | Query],
        entities: str | Sequence[str] | None = ...,
        *,
        concurrency: int = ...,
        return_errors: Literal[True],
        **options: Unpack[Options],
    ) -> Iterator[Result | PhotoError]: ...

    def predict_many(
        self,
        photos: Iterable[Photo | Query],
        entities: str | Sequence[str] | None = None,
        *,
        concurrency: int = CONCURRENCY,
        return_errors: bool = False,
        **options: Unpack[Options],
    ) -> Iterator[Result | PhotoError]:
        """The answers about many photos, in their order, as they come.

        Args:
            photos: Drawn as they are needed; a Query stands for itself, without `entities` and `options`.
            entities, options: As those of `predict`, for all photos.
            concurrency: How many are asked at once.
            return_errors: Whether a PhotoError stands in the place of its answer; else it is raised there. Other
                errors are raised in any case: they would meet every photo.

        Raises:
            ValueError: A number or an option is out of its range.
            ClientError: As `predict`, when the answer is drawn.
        """
        asked = queries(photos, entities, **options)
        return mapped(self._outcome if return_errors else self.ask, asked, concurrency)

    def score(
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
        """A table of photos, with the answers behind its columns.

        Each entity gets a column with its name and one with `_confidence` behind it; `error` says why a row has no
        answers. Index and order stay. A column of the table with one of these names gets `_in` behind its own. Where
        the server fails after it has given answers these are kept, the other rows have the error, and there is a
        warning.

        Args:
            table: A row for each photo.
            image_column: Of photos, in any form that `predict` takes.
            entities, options: As those of `predict`, for all rows.
            title_column, description_column, group_id_column: Of what else is known of each product.
            concurrency: How many are asked at once.

        Raises:
            ValueError: A column is missing, or a number or an option is out of its range.
            RequestError, Unavailable: The server gives no answer at all.
            ImportError: pandas is not installed.
        """
        columns = {"title": title_column, "description": description_column, "group_id": group_id_column}
        scored = ScoredTable(table, image_column, entities, columns, **options)

        def outcome(query: Query) -> Result | ClientError:
            if scored.fault:
                return scored.fault
            try:
                return self.ask(query)
            except ClientError as error:
                return scored.failed(error)

        return scored.frame(list(mapped(outcome, scored.queries, concurrency)))

    def close(self) -> None:
        """Ends the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _outcome(self, query: Query) -> Result | PhotoError:
        try:
            return self.ask(query)
        except PhotoError as error:
            return error
