"""Eight drawn product photos for the page, of different kinds of goods and of print."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from resformer.scripts.lib.sample_photo import draw_sample_photo

__all__ = ["SAMPLES", "Sample", "write_samples"]

INK, GROUND, WHITE = "#22252b", "#e4e5e3", "#ffffff"


@dataclass(frozen=True)
class Sample:
    """A drawn photo.

    Attributes:
        name: Of its file, without the suffix.
        caption: What it shows, for people.
        draw: Makes the picture; None is the pack that `resformer serve` tries the server with.
    """

    name: str
    caption: str
    draw: Callable[[], Image.Image] | None


def write_samples(folder: Path) -> dict[str, Path]:
    """Draws all samples as JPEG files; returns the file of each name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for sample in SAMPLES:
        path = folder / f"{sample.name}.jpg"
        if sample.draw is None:
            draw_sample_photo(path)
        else:
            sample.draw().save(path, "JPEG", quality=92)
        files[sample.name] = path
    return files


def _canvas(width: int, height: int, ground: str = GROUND) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    photo = Image.new("RGB", (width, height), ground)
    return photo, ImageDraw.Draw(photo)


def _text(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, ink: str = INK, anchor: str = "mm"
) -> None:
    draw.text(place, text, ink, ImageFont.load_default(size), anchor=anchor)


def _bottle() -> Image.Image:
    photo, draw = _canvas(800, 1200, "#eef3f6")
    draw.rounded_rectangle((350, 60, 450, 170), radius=14, fill="#1f6f8b")
    draw.polygon([(365, 165), (435, 165), (455, 300), (560, 400), (240, 400), (345, 300)], fill="#9fd3e0")
    draw.rounded_rectangle((240, 370, 560, 1130), radius=60, fill="#9fd3e0")
    draw.rectangle((240, 520, 560, 980), fill=WHITE)
    _text(draw, (400, 590), "ALPENSEE", 54, "#1f6f8b")
    _text(draw, (400, 670), "Natural spring water", 29)
    draw.ellipse((345, 710, 455, 820), fill="#1f6f8b")
    _text(draw, (400, 885), "750 ml", 62)
    _text(draw, (400, 945), "still", 30)
    return photo


def _bulb() -> Image.Image:
    photo, draw = _canvas(1100, 900, "#f4f1ea")
    draw.ellipse((90, 110, 510, 530), fill="#fff7d1", outline="#d9c777", width=6)
    draw.polygon([(190, 470), (410, 470), (370, 620), (230, 620)], fill="#f2f2f2", outline="#bdbdbd")
    draw.rectangle((235, 620, 365, 760), fill="#b9bcc0")
    for y in range(635, 760, 28):
        draw.line((235, y + 12, 365, y), fill="#8c8f94", width=7)
    draw.ellipse((270, 745, 330, 800), fill="#55585d")
    draw.rounded_rectangle((580, 110, 1040, 790), radius=24, fill="#14532d")
    _text(draw, (810, 200), "LED bulb", 76, WHITE)
    _text(draw, (810, 340), "9 W", 120, "#fde68a")
    _text(draw, (810, 470), "220-240 V", 66, WHITE)
    _text(draw, (810, 570), "E27  warm white", 46, WHITE)
    _text(draw, (810, 690), "806 lm   2700 K", 44, WHITE)
    return photo


def _arrow(draw: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A dimension line with a stroke across each end."""
    draw.line((start, end), fill=INK, width=4)
    across = (0, 16) if start[1] == end[1] else (16, 0)
    for x, y in (start, end):
        draw.line((x - across[0], y - across[1], x + across[0], y + across[1]), fill=INK, width=4)


def _shelf() -> Image.Image:
    photo, draw = _canvas(1000, 1200, WHITE)
    draw.rectangle((260, 120, 760, 1000), fill="#c89b6a", outline=INK, width=4)
    for top in (140, 350, 560, 770):
        draw.rectangle((282, top, 738, top + 188), fill="#f3e6d5", outline=INK, width=3)
    _arrow(draw, (260, 1070), (760, 1070))
    _text(draw, (510, 1125), "80 cm", 58)
    _arrow(draw, (180, 120), (180, 1000))
    _text(draw, (90, 560), "180 cm", 52)
    draw.line((760, 120, 860, 50), fill=INK, width=4)
    draw.line((860, 50, 860, 930), fill=INK, width=4)
    draw.line((760, 1000, 860, 930), fill=INK, width=4)
    _text(draw, (905, 995), "30 cm", 52)
    return photo


def _shirt() -> Image.Image:
    photo, draw = _canvas(1000, 1100, "#f7f7f5")
    body = [(330, 200), (430, 170), (570, 170), (670, 200), (880, 380), (790, 500), (700, 430), (700, 960)]
    draw.polygon([*body, (300, 960), (300, 430), (210, 500), (120, 380)], fill="#1b2a52")
    draw.ellipse((415, 120, 585, 245), fill="#f7f7f5")
    draw.arc((405, 110, 595, 260), 15, 165, fill="#101a36", width=14)
    draw.line((300, 935, 700, 935), fill="#101a36", width=4)
    for x in (300, 700):
        draw.line((x, 430, x, 960), fill="#15203f", width=4)
    return photo


def _charger() -> Image.Image:
    photo, draw = _canvas(1200, 900, "#dfe3e8")
    draw.rounded_rectangle((150, 120, 1050, 780), radius=60, fill="#202327")
    lines = ("POWER ADAPTER", "Model PA-65C", "Input: 100-240 V~ 50/60 Hz 1.5 A", "Output: 20 V 3.25 A", "Power: 65 W")
    for line, (text, size) in enumerate(zip(lines, (62, 40, 46, 46, 46), strict=True)):
        _text(draw, (220, 225 + 100 * line), text, size, "#f1f3f5", "lm")
    draw.rounded_rectangle((1050, 380, 1130, 520), radius=12, fill="#5b6067")
    return photo


def _box() -> Image.Image:
    photo, draw = _canvas(1200, 1000, "#eceae6")
    draw.polygon([(180, 330), (820, 330), (820, 870), (180, 870)], fill="#c79a63")
    draw.polygon([(180, 330), (330, 190), (970, 190), (820, 330)], fill="#dcb583")
    draw.polygon([(820, 330), (970, 190), (970, 730), (820, 870)], fill="#a97d4a")
    draw.line((500, 330, 650, 190), fill="#8a6538", width=10)
    _text(draw, (500, 430), "STORAGE BOX", 64)
    _text(draw, (500, 580), "60 x 40 x 30 cm", 68)
    _text(draw, (500, 670), "(W x D x H)", 52)
    _text(draw, (500, 790), "max. load 25 kg", 50)
    return photo


def _turned_pack() -> Image.Image:
    photo, draw = _canvas(800, 1100, "#d7dde2")
    draw.rounded_rectangle((110, 80, 690, 1020), radius=30, fill="#7c2d12")
    draw.rectangle((150, 240, 650, 900), fill="#fff7ed")
    _text(draw, (400, 330), "SUNDARI", 80, "#7c2d12")
    _text(draw, (400, 430), "Basmati rice", 58)
    draw.ellipse((310, 500, 490, 680), fill="#e7d8b8", outline="#7c2d12", width=6)
    _text(draw, (400, 760), "NET WEIGHT 1 kg", 52)
    _text(draw, (400, 840), "Keep in a dry place", 30)
    return photo.transpose(Image.Transpose.ROTATE_90)


SAMPLES = (
    Sample("oats", "Pack of oats", None),
    Sample("bottle", "Water bottle", _bottle),
    Sample("bulb", "LED bulb", _bulb),
    Sample("shelf", "Shelf with its dimensions", _shelf),
    Sample("shirt", "T-shirt", _shirt),
    Sample("charger", "Charger label", _charger),
    Sample("box", "Storage box", _box),
    Sample("rice", "Pack on its side", _turned_pack),
)
"""In the order of the page."""
