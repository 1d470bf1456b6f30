"""gRPC, before a server that the test plays."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from resformer.client import AsyncClient, Client, ClientError, PhotoError, RequestError, Result, Unavailable
from resformer.client.grpc_messages import METHOD, GrpcMessages
from tests.client.conftest import ANSWER

Reply = Callable[[bytes, grpc.ServicerContext], bytes]
MESSAGES = GrpcMessages()


class GrpcServer:
    """Answers by `reply`; notes the metadata and the requests."""

    def __init__(self) -> None:
        self.reply: Reply = answer
        self.asked: list[tuple[dict[str, Any], bytes]] = []
        _, _, self._method = METHOD.rpartition("/")
        service = METHOD.split("/")[1]
        handler = grpc.unary_unary_rpc_method_handler(self._handle)
        self._server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", 100_000)])
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {self._method: handler})])
        self.url = f"grpc://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _handle(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.asked.append((dict(context.invocation_metadata()), request))
        return self.reply(request, context)

    def stop(self) -> None:
        self._server.stop(None).wait()


def body(value: Any) -> bytes:
    """A response: one field, number 1, of bytes."""
    text = json.dumps(value).encode()
    assert len(text) < 2**14
    return b"\x0a" + bytes([len(text) & 127 | 128, len(text) >> 7]) + text


def answer(_: bytes, __: grpc.ServicerContext) -> bytes:
    return body(ANSWER)


def refuse(code: grpc.StatusCode) -> Reply:
    def reply(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, "said the server")
        return b""

    return reply


@pytest.fixture
def server() -> Iterator[GrpcServer]:
    found = GrpcServer()
    yield found
    found.stop()


@pytest.fixture(params=[False, True], ids=["Client", "AsyncClient"])
def predict(request: pytest.FixtureRequest, server: GrpcServer) -> Callable[..., Result]:
    def ask(photo: bytes = b"photo", **options: Any) -> Result:
        client = {"retries": 0, **options.pop("client", {})}
        if not request.param:
            with Client(server.url, **client) as sync:
                return sync.predict(photo, **options)

        async def call() -> Result:
            async with AsyncClient(server.url, **client) as found:
                return await found.predict(photo, **options)

        return asyncio.run(call())

    return ask


def test_an_answer(server: GrpcServer, predict: Callable[..., Result]) -> None:
    assert predict(title="Café", client={"key": "secret"}) == Result.model_validate(ANSWER)
    ((metadata, request),) = server.asked
    assert metadata["authorization"] == "Bearer secret"
    assert request == MESSAGES.request("resformer", {"image": b"photo", "title": "Café".encode()})
    assert b"\x0a\x09resformer" in request and "Café".encode() in request


def test_without_a_key_none_is_sent(server: GrpcServer, predict: Callable[..., Result]) -> None:
    predict()
    assert "authorization" not in server.asked[0][0]


def test_errors_come_as_the_answer(server: GrpcServer, predict: Callable[..., Result]) -> None:
    server.reply = lambda *_: body({"code": 415, "type": "UnsupportedImage", "message": "no photo"})
    with pytest.raises(PhotoError) as raised:
        predict()
    assert (raised.value.code, raised.value.type, raised.value.message) == (415, "UnsupportedImage", "no photo")


@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, RequestError, "InvalidKeyException"),
        (grpc.StatusCode.UNIMPLEMENTED, RequestError, "ModelNotFoundException"),
        (grpc.StatusCode.INTERNAL, PhotoError, "INTERNAL"),
        (grpc.StatusCode.UNAVAILABLE, Unavailable, "NoAnswer"),
    ],
)
def test_refusals(
    server: GrpcServer,
    predict: Callable[..., Result],
    code: grpc.StatusCode,
    error: type[ClientError],
    kind: str,
) -> None:
    server.reply = refuse(code)
    with pytest.raises(error, match="said the server") as raised:
        predict()
    assert raised.value.type == kind


def test_what_passes_is_asked_again(server: GrpcServer, predict: Callable[..., Result]) -> None:
    replies = iter([refuse(grpc.StatusCode.UNAVAILABLE), refuse(grpc.StatusCode.INTERNAL), answer])
    server.reply = lambda *arguments: next(replies)(*arguments)
    assert predict(client={"retries": 2}) == Result.model_validate(ANSWER)
    assert len(server.asked) == 3


@pytest.mark.parametrize("size", [200_000, 50_000_001])
def test_a_photo_that_is_too_large(predict: Callable[..., Result], size: int) -> None:
    """Too large for the server, and too large to be sent at all."""
    with pytest.raises(PhotoError, match="larger than max") as raised:
        predict(bytes(size))
    assert (raised.value.code, raised.value.type) == (413, "ImageTooLarge")


def test_nobody_there(server: GrpcServer, predict: Callable[..., Result]) -> None:
    server.stop()
    with pytest.raises(Unavailable, match="gives no answer"):
        predict()
