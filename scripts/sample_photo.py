"""Draws the product photo that `make serve` tries the server with: a plain pack with print on it.

python -m scripts.sample_photo photo.jpg
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

__all__ = ["draw_sample_photo"]

SIZE = (900, 1200)
PACK = (130, 90, 770, 1110)
LABEL = (170, 260, 730, 1010)
BROWN, CREAM, INK, GREY = "#6b4a2f", "#f6efe0", "#2b2118", "#d9d9d6"
# Text, size and height above the ground of each line, centred on the pack.
PRINT = (
    ("MILLSTONE", 84, 320),
    ("Rolled Oats", 60, 440),
    ("Whole grain, nothing added", 32, 540),
    ("NET WT 500 g (17.6 oz)", 46, 860),
    ("Best before: see top of pack", 26, 945),
)


def draw_sample_photo(path: Path) -> None:
    """Writes the photo, the same bytes each time on one version of Pillow."""
    photo = Image.new("RGB", SIZE, GREY)
    draw = ImageDraw.Draw(photo)
    draw.rounded_rectangle(PACK, radius=36, fill=BROWN)
    draw.rectangle(LABEL, fill=CREAM)
    draw.ellipse((350, 620, 550, 820), fill="#d8b26a", outline=BROWN, width=6)
    for text, size, top in PRINT:
        draw.text((SIZE[0] / 2, top), text, INK, ImageFont.load_default(size), anchor="mt")
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path, "JPEG", quality=92)


def main() -> None:
    """Draws the photo to the path of the command line."""
    parser = argparse.ArgumentParser(description="Draw the sample product photo.")
    parser.add_argument("path", type=Path)
    draw_sample_photo(parser.parse_args().path)


if __name__ == "__main__":
    main()
