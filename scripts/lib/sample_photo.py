"""Drawn product photos: the plain pack that `resformer serve` tries the server with, and a T-shirt with a tag."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

__all__ = ["draw_sample_photo", "draw_sample_shirt"]

SIZE = (900, 1200)
PACK = (130, 90, 770, 1110)
LABEL = (170, 260, 730, 1010)
BROWN, CREAM, INK, GREY = "#6b4a2f", "#f6efe0", "#2b2118", "#d9d9d6"
NAVY = "#1d2b53"
SHIRT = (
    *((330, 220), (570, 220), (690, 290), (790, 470), (680, 520), (630, 430)),
    *((640, 960), (260, 960), (270, 430), (220, 520), (110, 470), (210, 290)),
)
# Text, size and height above the ground of each line, centred on the pack.
TEXT_LINES = (
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
    for text, size, top in TEXT_LINES:
        draw.text((SIZE[0] / 2, top), text, INK, ImageFont.load_default(size), anchor="mt")
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path, "JPEG", quality=92)


def draw_sample_shirt(path: Path) -> None:
    """Writes the photo of a T-shirt."""
    photo = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(photo)
    draw.polygon(SHIRT, fill=NAVY)
    draw.ellipse((365, 180, 535, 290), fill="white")
    draw.arc((355, 170, 545, 300), 10, 170, fill="#101a38", width=14)
    for x in (330, 420, 520, 585):
        draw.line(((x, 520), (x + 18, 930)), fill="#18244a", width=7)
    draw.rounded_rectangle((655, 700, 855, 920), radius=14, fill=CREAM, outline="#b9ad93", width=3)
    draw.line(((640, 640), (740, 712)), fill="#8a8a8a", width=3)
    for text, size, top in (("COTTON", 34, 745), ("NET WT", 30, 805), ("180 g", 44, 850)):
        draw.text((755, top), text, INK, ImageFont.load_default(size), anchor="mt")
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.filter(ImageFilter.GaussianBlur(0.8)).save(path, "JPEG", quality=92)
