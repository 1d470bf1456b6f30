"""Errors that a caller can cause and can mend, each with the HTTP status that the handler answers."""

__all__ = [
    "BadRequest",
    "CorruptImage",
    "ImageTooLarge",
    "ResformerError",
    "UnknownEntity",
    "UnsupportedImage",
    "UrlNotAllowed",
]


class ResformerError(ValueError):
    """Base of every error that is the caller's to mend. `status` is the HTTP status it maps to."""

    status = 400


class BadRequest(ResformerError):
    """The request has no photo, or its fields cannot be understood."""


class UnknownEntity(ResformerError):
    """An entity was asked for that the schema does not list."""


class UrlNotAllowed(ResformerError):
    """A photo was named by a URL that this server does not fetch."""

    status = 403


class ImageTooLarge(ResformerError):
    """The photo has more bytes or pixels than the server takes."""

    status = 413


class UnsupportedImage(ResformerError):
    """The bytes are not an image in a format that is read here."""

    status = 415


class CorruptImage(ResformerError):
    """The bytes begin as an image but are cut off or damaged."""

    status = 422
