"""Requests over gRPC: the same fields as over HTTP, and TorchServe's errors as the HTTP statuses that they mean."""

from typing import Any

from resformer.client.address import MODEL, Address
from resformer.client.exchange import Send
from resformer.client.faults import INVALID_KEY
from resformer.client.grpc_messages import METHOD, GrpcMessages
from resformer.client.optional_packages import needed
from resformer.client.replies import Lost, Reply, parse_body

__all__ = ["AsyncGrpcTransport", "GrpcTransport"]

# The server ends a stream with more without a word, see max_request_size in config.properties.
MAX_BYTES = 25_000_000
LOST = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
# Status and type of what the server refuses before the handler is called; other codes are a 500.
REFUSED = {
    "PERMISSION_DENIED": (401, INVALID_KEY),
    "UNAUTHENTICATED": (401, INVALID_KEY),
    "NOT_FOUND": (404, "ModelNotFoundException"),
    "UNIMPLEMENTED": (404, "ModelNotFoundException"),
    "RESOURCE_EXHAUSTED": (413, "ImageTooLarge"),
}


class GrpcTransport:
    """Sends over gRPC.

    Raises:
        ImportError: grpcio or protobuf is not installed.
    """

    def __init__(self, address: Address, timeout: float):
        self._wire = _Wire(address, timeout)
        self._channel = self._wire.channel(self._wire.grpc)
        self._call = self._channel.unary_unary(METHOD)

    def send(self, message: Send) -> Reply | Lost:
        """What the server sends back."""
        try:
            return self._wire.reply(self._call(**self._wire.arguments(message)))
        except self._wire.grpc.RpcError as error:
            return _failure(error)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()


class AsyncGrpcTransport:
    """As GrpcTransport, for a loop of asyncio: that of the first call."""

    def __init__(self, address: Address, timeout: float):
        self._wire = _Wire(address, timeout)
        self._channel: Any = None
        self._call: Any = None

    async def send(self, message: Send) -> Reply | Lost:
        """What the server sends back."""
        if self._channel is None:  # a channel belongs to the loop in which it is made
            self._channel = self._wire.channel(self._wire.grpc.aio)
            self._call = self._channel.unary_unary(METHOD)
        try:
            return self._wire.reply(await self._call(**self._wire.arguments(message)))
        except self._wire.grpc.RpcError as error:
            return _failure(error)

    async def close(self) -> None:
        """Ends the connection."""
        if self._channel is not None:
            await self._channel.close()


class _Wire:
    """What both kinds of channel share."""

    def __init__(self, address: Address, timeout: float):
        self.grpc = needed("grpc", by="gRPC", packages="grpcio protobuf")
        self._messages = GrpcMessages()
        self._address, self._timeout = address, timeout

    def channel(self, module: Any) -> Any:
        """A channel, of grpc or of grpc.aio."""
        options = [("grpc.max_send_message_length", MAX_BYTES)]
        if self._address.is_local:  # which a proxy that the environment names cannot reach
            options.append(("grpc.enable_http_proxy", 0))
        if self._address.is_secure:
            return module.secure_channel(self._address.target, self.grpc.ssl_channel_credentials(), options=options)
        return module.insecure_channel(self._address.target, options=options)

    def arguments(self, message: Send) -> dict[str, Any]:
        """Of the call that sends a message."""
        fields = {"image": message.photo, **{name: text.encode() for name, text in message.fields.items()}}
        metadata = [("authorization", f"Bearer {message.key}")] if message.key else []
        return {
            "request": self._messages.request(MODEL, fields),
            "metadata": metadata,
            "timeout": self._timeout,
        }

    def reply(self, response: bytes) -> Reply:
        """What an answer says: gRPC has no status per photo, so an error is in its body."""
        body = parse_body(self._messages.prediction(response))
        is_error = isinstance(body, dict) and "code" in body
        return Reply(int(body["code"]) if is_error else 200, body)


def _failure(error: Any) -> Reply | Lost:
    name, details = error.code().name, error.details() or ""
    if name in LOST:
        return Lost(f"{name}: {details}")
    status, type = REFUSED.get(name, (500, name))
    return Reply(status, {"code": status, "type": type, "message": details})
