"""What cannot be done with a server."""

from resformer.scripts.lib.external_error import ExternalError

__all__ = ["ServerError"]


class ServerError(ExternalError):
    """What cannot be done with the server, and why."""
