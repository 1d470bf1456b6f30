"""Both clients, before a server that a test plays."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from resformer.client import AsyncClient, Client, ClientError, Result

__all__ = ["ANSWER", "Asker", "Handler", "answer"]

Handler = Callable[[httpx.Request], httpx.Response]

ANSWER: dict[str, Any] = {
    "model": "resformer",
    "version": "1.0",
    "image": {"width": 900, "height": 1200},
    "predictions": {
        "item_weight": {
            "prediction": "500 gram",
            "value": 500.0,
            "unit": "gram",
            "si": {"value": 0.5, "unit": "kilogram"},
            "confidence": 0.93,
            "evidence": [1.0, 2.0, 3.0, 4.0],
        },
        "title": {
            "prediction": "",
            "value": None,
            "unit": None,
            "si": None,
            "confidence": 0.75,
            "evidence": None,
        },
    },
}


def answer(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=ANSWER)


class Asker:
    """One of the two clients, as functions that wait. `slept` has the seconds that it waited between requests."""

    def __init__(self, is_async: bool):
        self.is_async = is_async
        self.slept: list[float] = []

    def predict(self, handler: Handler, photo: Any = b"photo", *arguments: Any, **options: Any) -> Result:
        result: Result = self._call("predict", handler, photo, *arguments, **options)
        return result

    def score(self, handler: Handler, *arguments: Any, **options: Any) -> Any:
        return self._call("score", handler, *arguments, **options)

    def predict_many(
        self, handler: Handler, photos: Any, *arguments: Any, client: dict[str, Any] | None = None, **options: Any
    ) -> Iterator[Result | ClientError]:
        """Yields the answers; of AsyncClient when all of them are there, or an error."""
        if not self.is_async:
            yield from self._sync(handler, client or {}).predict_many(photos, *arguments, **options)
            return

        async def call() -> tuple[list[Any], Exception | None]:
            found: list[Any] = []
            try:
                async for outcome in self._async(handler, client or {}).predict_many(photos, *arguments, **options):
                    found.append(outcome)
            except Exception as error:
                return found, error
            return found, None

        found, error = asyncio.run(call())
        yield from found
        if error:
            raise error

    def _call(self, method: str, handler: Handler, *arguments: Any, **options: Any) -> Any:
        client = options.pop("client", {})
        if not self.is_async:
            return getattr(self._sync(handler, client), method)(*arguments, **options)

        async def call() -> Any:
            return await getattr(self._async(handler, client), method)(*arguments, **options)

        return asyncio.run(call())

    def _sync(self, handler: Handler, client: dict[str, Any]) -> Client:
        return Client(http=httpx.Client(transport=httpx.MockTransport(handler)), **client)

    def _async(self, handler: Handler, client: dict[str, Any]) -> AsyncClient:
        return AsyncClient(http=httpx.AsyncClient(transport=httpx.MockTransport(handler)), **client)


@pytest.fixture(params=[False, True], ids=["Client", "AsyncClient"])
def asker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Asker:
    found = Asker(request.param)
    slept, sleep = found.slept, asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(asyncio, "sleep", note)
    return found


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESFORMER_KEY", "RESFORMER_KEY_FILE", "RESFORMER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
