"""Which error a reply without an answer is, and whether asking again may help."""

from resformer.client.client_errors import ClientError, PhotoError, RequestError, Unavailable
from resformer.client.replies import Lost, Reply

__all__ = ["fault_of", "is_passing", "refuses_key"]

# What a server or a proxy answers that is busy, starting or out of reach for now.
BUSY = frozenset({408, 425, 429, 502, 503, 504})
# What TorchServe answers where a photo, or one beside it in the batch, ended the worker.
WORKER_DIED = frozenset({500, 507})
# The handler's own 500, which another try would meet again.
INTERNAL_ERROR = "InternalError"
INVALID_KEY = "InvalidKeyException"
PHOTO_FAULTS = frozenset({"BadRequest", "CorruptImage", "ImageTooLarge", "UnsupportedImage", INTERNAL_ERROR})
HINTS = {
    404: "; the address ends in /predictions/resformer",
    405: "; the address ends in /predictions/resformer",
}


def is_passing(reply: Reply | Lost) -> bool:
    """Whether the same request may be answered a moment later."""
    if isinstance(reply, Lost):
        return True
    return reply.status in BUSY or (reply.status in WORKER_DIED and _type(reply) != INTERNAL_ERROR)


def refuses_key(reply: Reply | Lost) -> bool:
    """Whether the key is wrong, or missing."""
    return isinstance(reply, Reply) and _type(reply) == INVALID_KEY


def fault_of(reply: Reply | Lost, *, address: str, has_key: bool, attempts: int) -> ClientError:
    """The error to raise.

    Args:
        reply: No answer.
        address: Of the server.
        has_key: Whether a key was sent.
        attempts: How often the server was asked.
    """
    times = "" if attempts == 1 else f", {attempts} times"
    if isinstance(reply, Lost):
        message = f"{address} gives no answer{times} ({reply.reason}); see that the server runs: `resformer status`"
        return Unavailable(message, type="NoAnswer")
    code, type, message = reply.status, _type(reply), _message(reply)
    if code in BUSY:
        return Unavailable(f"{message}{times}", type=type or "Busy", code=code)
    if type in PHOTO_FAULTS:
        return PhotoError(message, type=type, code=code)
    if code in WORKER_DIED:
        return PhotoError(f"{message}{times}; the photo may be what ends the worker", type=type or "Failed", code=code)
    if code == 413:  # TorchServe's front end refuses what is too large with an empty body
        message = message or "the request has more bytes than the server takes; send a smaller photo"
        return PhotoError(message, type=type or "ImageTooLarge", code=code)
    if type == INVALID_KEY:
        return RequestError(f"{address}: {message}; {_key_hint(has_key)}", type=type, code=code)
    return RequestError(f"{address}: {message}{HINTS.get(code, '')}", type=type or "Refused", code=code)


def _key_hint(has_key: bool) -> str:
    source = "key=, key_file='build/serve-8080/keys/inference', $RESFORMER_KEY or $RESFORMER_KEY_FILE"
    return f"the key is not this server's; give its own: {source}" if has_key else f"give the server's key: {source}"


def _type(reply: Reply) -> str:
    return str(reply.body.get("type", "")) if isinstance(reply.body, dict) else ""


def _message(reply: Reply) -> str:
    """What the server says; it may be a proxy's page, of which the beginning will do."""
    if isinstance(reply.body, dict):
        return str(reply.body.get("message", ""))
    return " ".join(str(reply.body).split())[:200]
