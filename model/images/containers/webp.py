"""WebP: metadata that states an orientation."""

from resformer.model.images.containers.container import Container
from resformer.model.images.orientation import orientation_of

__all__ = ["read_webp"]

MAX_PIXELS = 14_000_000  # the decoder holds four copies of 4 bytes a pixel
MAX_CHUNKS = 1000
HEADER = 12


def read_webp(data: bytes) -> Container:
    """The whole file: the decoder goes through it in linear time, and looks at no metadata.

    EXIF and XMP are looked for in its first MAX_CHUNKS chunks.
    """
    chunks: dict[bytes, bytes] = {}
    at = HEADER
    for _ in range(MAX_CHUNKS):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if len(kind) < 4:
            break
        if kind in (b"EXIF", b"XMP "):
            chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return Container(data, "WebP", orientation_of(chunks.get(b"EXIF"), chunks.get(b"XMP ")), max_pixels=MAX_PIXELS)
