"""Errors that a caller causes and can correct, each with the HTTP status of the handler's answer."""

__all__ = [
    "BadRequest",
    "CorruptImage",
    "ImageTooLarge",
    "LinkFailed",
    "ResformerError",
    "UnknownEntity",
    "UnsupportedImage",
    "UrlNotAllowed",
]


class ResformerError(ValueError):
    """Base of every error that the caller can correct.

    Attributes:
        status: the HTTP status that it maps to.
    """

    status = 400


class BadRequest(ResformerError):
    """The request has no photo, or its fields cannot be understood."""


class UnknownEntity(ResformerError):
    """The request asks for an entity that the schema does not list."""


class UrlNotAllowed(ResformerError):
    """The request names a photo by a URL that the server does not fetch."""

    status = 403


class ImageTooLarge(ResformerError):
    """The photo has more bytes or pixels than the server accepts."""

    status = 413


class UnsupportedImage(ResformerError):
    """The bytes are not an image in a supported format."""

    status = 415


class CorruptImage(ResformerError):
    """The bytes begin as an image but are cut off or damaged."""

    status = 422


class LinkFailed(ResformerError):
    """The photo's host does not send it: it answers with an error, too slowly, or not at all."""

    status = 424
