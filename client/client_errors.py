"""What can go wrong with a request, by what it means for the next one."""

__all__ = ["ClientError", "PhotoError", "RequestError", "Unavailable"]


class ClientError(Exception):
    """Base of every error of a request.

    Attributes:
        code: The HTTP status that the server gave, None where the request did not get so far.
        type: The server's name of the error, such as `UnsupportedImage`, or that of the exception on this side.
        message: What is wrong and what to do.
    """

    def __init__(self, message: str, *, type: str, code: int | None = None):
        super().__init__(message, type, code)
        self.message, self.type, self.code = message, type, code

    def __str__(self) -> str:
        return " ".join(filter(None, [str(self.code or ""), f"{self.type}: {self.message}"]))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), self.message, self.type, self.code)


class PhotoError(ClientError):
    """This photo, or what was sent with it, cannot be answered; another one may be."""


class RequestError(ClientError):
    """The server refuses the key, the address or an entity, as it would for every other photo."""


class Unavailable(ClientError):
    """The server gave no answer, or was busy, each time that it was asked."""


def _rebuilt(kind: type[ClientError], message: str, type: str, code: int | None) -> ClientError:
    return kind(message, type=type, code=code)
