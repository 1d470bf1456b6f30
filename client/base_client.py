"""What both clients are made of."""

from collections.abc import Generator
from pathlib import Path

from resformer.client.address import Address
from resformer.client.exchange import Retries, Send, Wait, exchange
from resformer.client.keys import find_key
from resformer.client.query import Query
from resformer.client.replies import Lost, Reply
from resformer.client.results import Result

__all__ = ["CONCURRENCY", "RETRIES", "TIMEOUT", "BaseClient"]

TIMEOUT = 120.0  # seconds
RETRIES = 4  # eight seconds in all
CONCURRENCY = 4


class BaseClient:
    """A server's address and key, and how patient to be with it. See Client for the arguments."""

    def __init__(self, url: str, key: str | None, key_file: str | Path | None, retries: int):
        self._address = Address.parse(url)
        self._key = find_key(key, key_file)
        self._retries = Retries(retries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address.url!r})"

    def _exchange(self, photo: bytes, query: Query) -> Generator[Send | Wait, Reply | Lost | None, Result]:
        """What to do for the answer to a query whose photo has been read."""
        return exchange(photo, query.fields(), key=self._key, retries=self._retries, address=self._address.url)
