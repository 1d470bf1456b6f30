"""The base of failures outside this process."""

__all__ = ["ExternalError"]


class ExternalError(Exception):
    """A server or another program failed; the message says what and, where it is known, why."""
