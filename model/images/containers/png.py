"""PNG: chunks, and texts that state an orientation."""

import zlib

from resformer.model.images.containers.container import MAX_SAMPLE_BYTES, Container, damaged, too_complex
from resformer.model.images.orientation import orientation_of

__all__ = ["read_png"]

MAX_CHUNKS = 10_000  # encoders that write the smallest parts give 20 MB in 5,000
MAX_TEXT = 1_000_000  # bytes of one text, inflated
SIGNATURE_LENGTH = 8
NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND"})
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the type of colour
TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
XMP, RAW_EXIF = b"XML:com.adobe.xmp", b"Raw profile type exif"


def read_png(data: bytes) -> Container:
    """The chunks that decoding needs, in their order: texts and profiles may be of any size.

    Raises:
        ImageTooLarge: there are too many chunks.
        CorruptImage: the file is cut off within a chunk, or the first one is not the header.
    """
    kept = [data[:SIGNATURE_LENGTH]]
    exif = None
    wanted = {XMP, RAW_EXIF}
    texts: dict[bytes, bytes] = {}
    at = SIGNATURE_LENGTH
    for i in range(MAX_CHUNKS):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            raise damaged("it ends within a chunk")
        if (i == 0) != (kind == b"IHDR"):
            raise damaged("its header is not its first chunk")
        if kind in NEEDED:
            kept.append(data[at:end])
        elif kind == b"eXIf":
            exif = exif or data[at + 8 : end - 4]
        elif kind in TEXTS and (keyword := data[at + 8 : at + 88].partition(b"\0")[0]) in wanted:
            wanted.remove(keyword)  # inflating thousands of them would take minutes
            texts[keyword] = _text(kind, data[at + 9 + len(keyword) : end - 4])
        if kind == b"IEND":
            exif = exif or _raw_profile(texts.get(RAW_EXIF, b""))
            orientation = orientation_of(exif, texts.get(XMP))
            return Container(b"".join(kept), "PNG", orientation, max_pixels=_max_pixels(kept[1]))
        at = end
    too_complex("PNG", "chunks", MAX_CHUNKS)


def _max_pixels(header: bytes) -> int | None:
    """As many as have MAX_SAMPLE_BYTES, where samples take three bytes a pixel or more."""
    if len(header) < 25:
        raise damaged("its header is cut off")
    bits = header[16] * SAMPLES.get(header[17], 1)
    return 8 * MAX_SAMPLE_BYTES // bits if bits >= 24 else None


def _text(kind: bytes, content: bytes) -> bytes:
    """The text after a chunk's keyword, inflated; empty where it is damaged."""
    if kind == b"tEXt":
        return content
    compressed = kind == b"zTXt"
    if kind == b"iTXt":
        compressed = content[:1] == b"\1"
        content = content[1:2] + b"".join(content[2:].split(b"\0", 2)[2:])
        if not compressed:
            return content[1:]
    try:
        return zlib.decompressobj().decompress(content[1:], MAX_TEXT)
    except zlib.error:
        return b""


def _raw_profile(text: bytes) -> bytes | None:
    """EXIF as ImageMagick writes it: a name, a length, and hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii")) or None
    except ValueError:
        return None
