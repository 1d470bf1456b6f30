"""JPEG: segments, scans and fill bytes."""

import re
from collections import Counter
from dataclasses import dataclass

from resformer.model.images.containers.container import Container, damaged, too_complex, unsupported
from resformer.model.images.orientation import orientation_of

__all__ = ["read_jpeg"]

MAX_SEGMENTS = 2000
MAX_SCANS = 100  # common encoders write up to 13
MAX_SCANNED_BLOCKS = 24_000_000  # of 8 x 8 samples, over all scans; 50 megapixels in 10 common scans have 12 million
MAX_FILL = 1000  # pairs of fill bytes within scans, which encoders hardly write
MAX_BUFFER = 200_000_000  # bytes of coefficients that a file of several scans takes

SOI, EOI, SOS, TEM = 0xD8, 0xD9, 0xDA, 0x01
SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE = 0xC0, 0xC1, 0xC2
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
RESTARTS = range(0xD0, 0xD8)
# Within a scan, decoders look for the next marker right behind them, not behind a segment.
RESERVED = range(0x02, 0xC0)
APP0, EXIF_OR_XMP, ADOBE = 0xE0, 0xE1, 0xEE
# Quantization and Huffman tables, restart interval, and what tells the colours: decoding needs no more.
NEEDED = frozenset({0xDB, 0xC4, 0xDD, APP0, ADOBE})
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"

MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
# Within a scan: a restart marker is part of it.
MARKER_AFTER_SCAN = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)


@dataclass(frozen=True)
class _Frame:
    """The frame header.

    Attributes:
        components: how many there are.
        blocks: of 8 x 8 samples, by the id of a component; those of all that have it, where several do.
    """

    marker: int
    pixels: int
    components: int
    blocks: dict[int, int]


def read_jpeg(data: bytes) -> Container:
    """The header without metadata and fill bytes, and the scans of the first image.

    Raises:
        ImageTooLarge: there are too many segments, scans or fill bytes.
        UnsupportedImage: it is arithmetic-coded, lossless or hierarchical, or has more than 8 bits a sample.
        CorruptImage: there is no frame, or no scan.
    """
    kept = [data[:2]]
    exif = xmp = None
    frame = None
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, at)
        if not found:
            raise damaged("it has no scan")
        marker, at = found[1][0], found.end()
        if marker in RESTARTS or marker in (SOI, TEM):
            continue
        if marker == EOI:
            raise damaged("it ends before its first scan")
        body, end = _segment(data, at)
        if marker == SOS:
            if frame is None:
                raise damaged("it has no frame header")
            last = _end_of_scans(data, at, frame)
            several = frame.marker == SOF_PROGRESSIVE or int.from_bytes(body[:1], "big") < frame.components
            return Container(
                b"".join((*kept, b"\xff\xda", data[at:last])),
                "progressive JPEG" if several else "JPEG",
                orientation_of(exif, xmp),
                max_pixels=_buffered_pixels(frame) if several else None,
            )
        if marker in FRAMES:
            if frame is not None:
                raise damaged("it has two frame headers")
            frame = _frame(marker, body)
        elif marker == EXIF_OR_XMP and body.startswith(EXIF):
            exif = exif or body
        elif marker == EXIF_OR_XMP and body.startswith(XMP):
            xmp = body
        if marker in NEEDED or marker in FRAMES:
            kept.append(data[at - 2 : end])
        at = end
    too_complex("JPEG", "segments", MAX_SEGMENTS)


def _segment(data: bytes, at: int) -> tuple[bytes, int]:
    """The content of the segment whose length stands at a position, and where it ends."""
    length = int.from_bytes(data[at : at + 2], "big")
    if length < 2 or at + length > len(data):
        raise damaged("a segment has a wrong length")
    return data[at + 2 : at + length], at + length


def _frame(marker: int, body: bytes) -> _Frame:
    if marker not in (SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE):
        unsupported("a JPEG file that is arithmetic-coded, lossless or hierarchical")
    if len(body) < 6 or len(body) < 6 + 3 * body[5] or not 1 <= body[5] <= 4:
        raise damaged("its frame header is cut off")
    if body[0] != 8:
        unsupported(f"a JPEG file with {body[0]} bits a sample")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    components = [(body[i], body[i + 1] >> 4, body[i + 1] & 15) for i in range(6, 6 + 3 * body[5], 3)]
    if not all(1 <= factor <= 4 for _, *factors in components for factor in factors):
        raise damaged("its frame header has wrong sampling factors")
    across, down = max(h for _, h, _ in components), max(v for _, _, v in components)
    blocks: Counter[int] = Counter()
    for name, h, v in components:
        blocks[name] += -(-width * h // (8 * across)) * -(-height * v // (8 * down))
    return _Frame(marker, width * height, len(components), blocks)


def _buffered_pixels(frame: _Frame) -> int:
    """How many pixels a file with such components may have, where all coefficients are held until the last scan."""
    return MAX_BUFFER * frame.pixels // max(1, 2 * 64 * sum(frame.blocks.values()))


def _end_of_scans(data: bytes, at: int, frame: _Frame) -> int:
    """Where the image ends whose first scan header's length stands at a position."""
    blocks, scans, marker = 0, 0, SOS
    start = at
    for _ in range(MAX_SEGMENTS):
        if marker in (SOI, TEM) or marker in RESERVED:
            end = at
        else:
            body, end = _segment(data, at)
            if marker == SOS:
                scans += 1
                count = body[0] if body else 0
                blocks += sum(frame.blocks.get(name, 0) for name in body[1 : 1 + 2 * count : 2])
                if scans > MAX_SCANS:
                    too_complex("JPEG", "scans", MAX_SCANS)
                if blocks > MAX_SCANNED_BLOCKS:
                    too_complex("JPEG", "blocks in its scans", MAX_SCANNED_BLOCKS)
        found = MARKER_AFTER_SCAN.search(data, end)
        at = found.end() if found else len(data)
        if found is None or found[1][0] == EOI:
            if data.count(b"\xff\xff", start, at) > MAX_FILL:
                too_complex("JPEG", "fill bytes", 2 * MAX_FILL)
            return at
        marker = found[1][0]
    too_complex("JPEG", "segments", MAX_SEGMENTS)
