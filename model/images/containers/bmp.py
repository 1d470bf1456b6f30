"""BMP: run lengths."""

from resformer.model.errors import ImageTooLarge
from resformer.model.images.containers.container import Container

__all__ = ["read_bmp"]

COMPRESSION = slice(30, 34)
RUN_LENGTHS = (1, 2)
# Pillow expands run lengths in Python.
MAX_PIXELS = 4_000_000
MAX_BYTES = 2_000_000


def read_bmp(data: bytes) -> Container:
    """The whole file. Raises ImageTooLarge: it has run lengths, and more than MAX_BYTES."""
    if data[14] == 12 or int.from_bytes(data[COMPRESSION], "little") not in RUN_LENGTHS:
        return Container(data, "BMP")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(
            f"the BMP file has run lengths and more than {MAX_BYTES} bytes; save the photo as an ordinary JPEG or PNG"
        )
    return Container(data, "run-length BMP", max_pixels=MAX_PIXELS)
