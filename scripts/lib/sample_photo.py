"""A drawn product photo: the plain pack that `resformer serve` tries the server with."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

__all__ = ["draw_sample_photo", "sample_photo_bytes"]

SIZE = (900, 1200)
PACK = (130, 90, 770, 1110)
LABEL = (170, 260, 730, 1010)
BROWN, CREAM, INK, GREY = "#6b4a2f", "#f6efe0", "#2b2118", "#d9d9d6"
# Text, size and height above the ground of each line, centred on the pack.
TEXT_LINES = (
    ("MILLSTONE", 84, 320),
    ("Rolled Oats", 60, 440),
    ("Whole grain, nothing added", 32, 540),
    ("NET WT 500 g (17.6 oz)", 46, 860),
    ("Best before: see top of pack", 26, 945),
)


def draw_sample_photo(path: Path) -> None:
    """Writes the photo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sample_photo_bytes())


def sample_photo_bytes() -> bytes:
    """The photo as a JPEG, the same bytes each time on one version of Pillow."""
    photo = Image.new("RGB", SIZE, GREY)
    draw = ImageDraw.Draw(photo)
    draw.rounded_rectangle(PACK, radius=36, fill=BROWN)
    draw.rectangle(LABEL, fill=CREAM)
    draw.ellipse((350, 620, 550, 820), fill="#d8b26a", outline=BROWN, width=6)
    for text, size, top in TEXT_LINES:
        draw.text((SIZE[0] / 2, top), text, INK, ImageFont.load_default(size), anchor="mt")
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
