"""Why a photo cannot be downloaded, as sentences, and whether another try may help."""

import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus

import httpx

__all__ = ["DownloadError", "Fault", "fault_of_exception", "fault_of_status"]

# What a server answers that is busy, starting or out of reach for now.
PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507})


class DownloadError(Exception):
    """A photo cannot be downloaded; the message gives the reason."""


class Fault(Exception):
    """An attempt has failed.

    Attributes:
        reason: As a sentence.
        is_passing: Whether another attempt may succeed.
        retry_after: Seconds that the server wants to be left alone, if it says so.
        is_gone: Whether the server says that there is no such photo.
    """

    def __init__(
        self, reason: str, *, is_passing: bool = False, retry_after: float | None = None, is_gone: bool = False
    ):
        super().__init__(reason)
        self.reason, self.is_passing, self.retry_after, self.is_gone = reason, is_passing, retry_after, is_gone


def fault_of_status(status: int, retry_after: float | None) -> Fault:
    """What an answer without a photo means."""
    try:
        name = f" ({HTTPStatus(status).phrase})"
    except ValueError:
        name = ""
    reason = f"the server answered {status}{name}"
    is_passing = status in PASSING_STATUS
    return Fault(
        reason, is_passing=is_passing, retry_after=retry_after if is_passing else None, is_gone=status in (404, 410)
    )


def fault_of_exception(error: httpx.HTTPError | httpx.InvalidURL) -> Fault:
    """What an exception of httpx means."""
    causes = list(_causes(error))
    resolver = next((cause for cause in causes if isinstance(cause, socket.gaierror)), None)
    if resolver is not None:
        is_passing = resolver.errno == socket.EAI_AGAIN
        return Fault(f"the host's name has no address ({resolver.strerror})", is_passing=is_passing)
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        detail = getattr(tls, "verify_message", "") or (tls.reason or str(tls)).replace("_", " ").lower()
        return Fault(f"no secure connection can be made ({detail})", is_passing=isinstance(tls, ssl.SSLEOFError))
    match error:
        case httpx.ConnectTimeout():
            return Fault("no connection can be made in time", is_passing=True)
        case httpx.TimeoutException():
            return Fault("the server falls silent", is_passing=True)
        case httpx.ConnectError():
            return Fault(f"no connection can be made ({_system_message(causes)})", is_passing=True)
        case httpx.ReadError() | httpx.WriteError() | httpx.RemoteProtocolError():
            return Fault(f"the answer breaks off ({_system_message(causes)})", is_passing=True)
        case httpx.DecodingError():
            return Fault("the answer is damaged: it is not compressed as the server says")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return Fault(f"the link is no address ({error})")
        case _:
            return Fault(f"the request fails ({type(error).__name__}: {error})", is_passing=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised for, outermost first."""
    seen: set[int] = set()
    open_ones: list[BaseException | None] = [error]
    while open_ones:
        current = open_ones.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        open_ones += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            open_ones += current.exceptions


def _system_message(causes: list[BaseException]) -> str:
    """What the operating system says, or else httpx."""
    messages = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    message = (messages or [str(causes[0]) or type(causes[0]).__name__])[-1]
    return message[:1].lower() + message[1:]
