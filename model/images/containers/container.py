"""What the readers of image files give to the decoder, and how they refuse."""

from dataclasses import dataclass
from typing import NoReturn

from resformer.model.errors import CorruptImage, ImageTooLarge, UnsupportedImage

__all__ = ["MAX_FRAMES", "MAX_SAMPLE_BYTES", "Container", "damaged", "too_complex", "unsupported"]

MAX_FRAMES = 10
"""Frames or pages of a file that are looked at."""
MAX_SAMPLE_BYTES = 84_000_000
"""Bytes that a photo's samples have before they are compressed: 50 megapixels of three samples of 8 bits."""


@dataclass(frozen=True)
class Container:
    """An image file whose parts are few enough to be decoded.

    Attributes:
        data: the file, without the metadata that decoding does not need.
        kind: what it is called in messages, such as `PNG`.
        orientation: of EXIF, 1 to 8; 1 where the decoder turns the photo itself.
        frames: how many the file has; None where the decoder knows.
        max_pixels: more would take too much memory or time; None: as many as any file may have.
    """

    data: bytes
    kind: str
    orientation: int = 1
    frames: int | None = None
    max_pixels: int | None = None


def too_complex(kind: str, what: str, limit: int) -> NoReturn:
    """Raises ImageTooLarge."""
    raise ImageTooLarge(
        f"the {kind} file has more than {limit} {what}; save the photo again, as an ordinary JPEG or PNG"
    )


def unsupported(what: str) -> NoReturn:
    """Raises UnsupportedImage."""
    raise UnsupportedImage(f"{what} is not read; save the photo as an ordinary JPEG or PNG")


def damaged(reason: object) -> CorruptImage:
    """The error of a file that begins as an image."""
    return CorruptImage(f"the photo is cut off or damaged ({reason}); send the whole file, or save it again")
