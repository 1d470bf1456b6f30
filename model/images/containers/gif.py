"""GIF: blocks and frames."""

import re

from resformer.model.errors import ImageTooLarge
from resformer.model.images.containers.container import MAX_FRAMES, Container, damaged, too_complex

__all__ = ["read_gif"]

MAX_BLOCKS = 300_000  # of up to 255 bytes; 20 MB in whole ones have 79,000
MAX_PIXELS = 16_000_000  # also of all frames that are looked at
HEADER = 13
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
# Decoders pass over other bytes between blocks, one by one.
BLOCK = re.compile(rb"[!,;]")


def read_gif(data: bytes) -> Container:
    """The blocks up to the last frame that is looked at.

    Raises:
        ImageTooLarge: there are too many blocks, or a frame is larger than MAX_PIXELS.
    """
    if len(data) < HEADER:
        raise damaged("it ends within its header")
    at = HEADER + _palette(data[10])
    kept = [data[:at]]
    blocks = frames = 0
    while (found := BLOCK.search(data, at)) and data[at := found.start()] != TRAILER:
        start, is_needed = at, frames < MAX_FRAMES
        blocks += 1
        if data[at] == EXTENSION:
            at += 2
        else:
            if len(data) < at + 10:
                break
            frames += 1
            x, y, width, height = (int.from_bytes(data[i : i + 2], "little") for i in range(at + 1, at + 9, 2))
            # The canvas grows with the frames.
            if frames <= MAX_FRAMES and (x + width) * (y + height) > MAX_PIXELS:
                raise ImageTooLarge(
                    f"frame {frames} of the photo reaches to {x + width} x {y + height} pixels, more than the "
                    f"{MAX_PIXELS} taken here of a GIF file; send it smaller"
                )
            at += 11 + _palette(data[at + 9])
        while at < len(data) and (length := data[at]) and blocks <= MAX_BLOCKS:
            at += 1 + length
            blocks += 1
        if blocks > MAX_BLOCKS:
            too_complex("GIF", "blocks", MAX_BLOCKS)
        at += 1
        if is_needed:
            kept.append(data[start:at])
    if at <= len(data):
        kept.append(bytes([TRAILER]))
    return Container(b"".join(kept), "GIF", frames=frames, max_pixels=MAX_PIXELS)


def _palette(flags: int) -> int:
    """Bytes of the palette that follows."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
