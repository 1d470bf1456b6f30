"""Both clients over HTTP, before a server that the test plays."""

import asyncio
import json
import pickle
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from resformer import __version__
from resformer.client import AsyncClient, Client, ClientError, PhotoError, Query, RequestError, Result, Unavailable
from tests.client.conftest import ANSWER, Asker, answer


class Script:
    """Answers requests by a list of responses, and notes the requests."""

    def __init__(self, *replies: httpx.Response | Exception):
        self._replies = iter(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = next(self._replies)
        if isinstance(reply, Exception):
            raise reply
        return reply


def refused(status: int, kind: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": status, "type": kind, "message": "no"}, headers=headers)


def done() -> httpx.Response:
    return httpx.Response(200, json=ANSWER)


def form(request: httpx.Request) -> dict[str, bytes]:
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    parts: Any = message_from_bytes(head + request.content).get_payload()
    return {str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) for part in parts}


def answer_with_the_photo(request: httpx.Request) -> httpx.Response:
    """The photo's text is the version of the answer; one that begins with `bad` is refused."""
    photo = form(request)["image"].decode()
    if photo.startswith("bad"):
        return refused(422, "CorruptImage")
    return httpx.Response(200, json={**ANSWER, "version": photo})


def test_what_is_sent(asker: Asker) -> None:
    script = Script(done())
    result = asker.predict(
        script, b"\xff\xd8photo", ["item_weight", "title"], title="Caf\u00e9", top_k=2, client={"key": "secret"}
    )
    assert result == Result.model_validate(ANSWER)
    (request,) = script.requests
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:8080/predictions/resformer")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["user-agent"] == f"resformer/{__version__}"
    assert form(request) == {
        "image": b"\xff\xd8photo",
        "entity_name": b"item_weight,title",
        "title": "Caf\u00e9".encode(),
        "top_k": b"2",
    }


def test_without_a_key_none_is_sent(asker: Asker) -> None:
    script = Script(done())
    asker.predict(script)
    assert "authorization" not in script.requests[0].headers


def test_a_server_that_is_busy_or_lost_is_asked_again(asker: Asker) -> None:
    busy = refused(503, "ServiceUnavailableException")
    script = Script(busy, httpx.ReadError("gone"), refused(503, "Busy", **{"Retry-After": "9"}), done())
    assert asker.predict(script) == Result.model_validate(ANSWER)
    assert [form(request)["image"] for request in script.requests] == [b"photo"] * 4
    first, second, third = asker.slept
    assert 0.25 <= first <= 0.5 <= second <= 1.0
    assert third == 9.0


def test_patience_ends(asker: Asker) -> None:
    script = Script(*[httpx.ConnectError("Connection refused")] * 3)
    with pytest.raises(Unavailable, match=r"gives no answer, 3 times \(ConnectError: Connection refused\)"):
        asker.predict(script, client={"retries": 2})
    assert (len(script.requests), len(asker.slept)) == (3, 2)
    script = Script(refused(503, "ServiceUnavailableException"))
    with pytest.raises(Unavailable) as raised:
        asker.predict(script, client={"retries": 0})
    assert (raised.value.code, raised.value.type) == (503, "ServiceUnavailableException")
    assert len(asker.slept) == 2


def test_an_error_has_code_type_and_message(asker: Asker) -> None:
    with pytest.raises(PhotoError) as raised:
        asker.predict(Script(refused(415, "UnsupportedImage")))
    error = raised.value
    assert (error.code, error.type, error.message) == (415, "UnsupportedImage", "no")
    assert str(error) == "415 UnsupportedImage: no"
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.type, copy.message) == (PhotoError, 415, "UnsupportedImage", "no")


def test_many_photos_keep_their_order(asker: Asker) -> None:
    photos = (f"photo {i}".encode() for i in range(40))
    results = list(asker.predict_many(answer_with_the_photo, photos, concurrency=5))
    assert [result.version for result in results] == [f"photo {i}" for i in range(40)]  # type: ignore[union-attr]


def test_queries_have_their_own_options(asker: Asker) -> None:
    script = Script(done(), done())
    list(asker.predict_many(script, [Query(b"a", "width", title="Oats"), b"b"], "height", concurrency=1))
    assert [{**form(request), "image": b""} for request in script.requests] == [
        {"image": b"", "entity_name": b"width", "title": b"Oats"},
        {"image": b"", "entity_name": b"height"},
    ]


def test_a_photo_that_fails_is_raised_in_its_place_or_returned(asker: Asker) -> None:
    photos = [b"a", b"bad", "missing.jpg", b"d"]
    seen = []
    with pytest.raises(PhotoError, match="CorruptImage"):
        for result in asker.predict_many(answer_with_the_photo, photos):
            seen.append(result)
    assert len(seen) == 1
    outcomes = list(asker.predict_many(answer_with_the_photo, photos, return_errors=True))
    assert [type(outcome) for outcome in outcomes] == [Result, PhotoError, PhotoError, Result]
    assert [o.type for o in outcomes if isinstance(o, ClientError)] == ["CorruptImage", "FileNotFoundError"]


def test_what_would_meet_every_photo_is_raised_in_any_case(asker: Asker) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return refused(400, "InvalidKeyException")

    with pytest.raises(RequestError, match="give the server's key"):
        list(asker.predict_many(refuse, [b"photo"] * 1000, return_errors=True))


def test_wrong_numbers_are_refused_before_a_photo_is_read() -> None:
    with Client() as client:
        for options in ({"concurrency": 0}, {"top_k": -1}):
            with pytest.raises(ValueError, match=r"is (0|-1); take"):
                client.predict_many(iter(()), **options)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="retries is -1"):
        Client(retries=-1)


def test_the_key_stays_secret() -> None:
    for client in (Client(key="secret"), AsyncClient(key="secret")):
        assert repr(client) == f"{type(client).__name__}('http://127.0.0.1:8080/predictions/resformer')"


def test_a_client_of_your_own_is_not_closed() -> None:
    with httpx.Client(transport=httpx.MockTransport(answer)) as own:
        with Client(http=own) as client:
            client.predict(b"photo")
        assert not own.is_closed

    async def check() -> bool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as own:
            async with AsyncClient(http=own) as client:
                await client.predict(b"photo")
            return not own.is_closed

    assert asyncio.run(check())
    with pytest.raises(ValueError, match="http is given, but the address is one of gRPC"):
        Client("grpc://127.0.0.1:8083", http=httpx.Client())


@pytest.fixture
def hanging_up() -> Iterator[str]:
    """A server that takes the first two requests and closes their connections without a word."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            if len(asked) < 3:
                self.close_connection = True
                return
            body = json.dumps(ANSWER).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("is_async", [False, True])
def test_a_connection_that_is_lost_is_made_again(
    hanging_up: str, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # not for this machine

    async def ask() -> Result:
        async with AsyncClient(hanging_up) as client:
            return await client.predict(b"photo")

    if is_async:
        result = asyncio.run(ask())
    else:
        with Client(hanging_up) as client:
            result = client.predict(b"photo")
    assert result == Result.model_validate(ANSWER)
