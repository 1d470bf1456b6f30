"""The photos of the golden record: drawn ones, and labelled ones where they lie beside the checkout."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from tests.paths import DATA

__all__ = ["GoldenPhoto", "golden_photos"]

SIZE = 720
INK, PAPER, PACK = "#231f20", "#f4f1ea", "#c9a66b"

# Name, printed lines (text, height in pixels), degrees that the photo is turned by, title, description.
DRAWN: tuple[tuple[str, tuple[tuple[str, int], ...], int, str, str], ...] = (
    ("pack", (("MILLSTONE", 72), ("Rolled Oats", 48), ("NET WT 500 g (17.6 oz)", 40)), 0, "", ""),
    ("bottle", (("Olive Oil", 64), ("750 ml", 56), ("extra virgin", 36)), 0, "", ""),
    ("charger", (("POWER ADAPTER", 48), ("INPUT: 100-240V ~ 50/60Hz", 36), ("65W MAX", 52)), 0, "", ""),
    ("box", (("SIZE", 48), ("L 120 x W 60 x H 75 cm", 40), ("Max load 25 kg", 40)), 0, "", ""),
    ("lamp", (("LED BULB", 60), ("9 W  =  60 W", 52), ("220-240 V", 44)), 0, "LED bulb 9 W", "A bulb of 220 volt"),
    ("sideways", (("Protein Powder", 56), ("2.27 kg / 5 lb", 52)), 90, "", ""),
    ("upside-down", (("DOG FOOD", 64), ("NET 3 kg", 56)), 180, "Dog food 3 kg", ""),
    ("small print", (("Vitamin C 1000 mg", 18), ("90 tablets, net weight 135 g", 18)), 0, "", ""),
    ("ruler", (('HEIGHT 12.5"', 48), ('WIDTH 8 1/2"', 48), ('DEPTH 4"', 48)), 0, "", ""),
    ("shirt", (("COTTON", 30),), 0, "Men Navy Blue Casual T-shirt", "Soft cotton jersey, regular fit"),
    ("shoe", (("SIZE 42", 36),), 0, "Women White Running Shoes", ""),
    ("blank", (), 0, "", ""),
)
# Folders of the labelled photos, and how many of each are taken.
LABELLED = (
    *(("amazon/val", 14), ("hand/val", 14), ("fashion/val", 7), ("hm/val", 5), ("flipkart/val", 5)),
    ("general/train", 3),
)


@dataclass(frozen=True)
class GoldenPhoto:
    """One photo with the text that is sent beside it. `name` is unique among all of them."""

    name: str
    content: bytes
    title: str = ""
    description: str = ""


def golden_photos() -> Iterator[GoldenPhoto]:
    """The drawn photos, then the labelled ones that are there."""
    for name, lines, turn, title, description in DRAWN:
        yield GoldenPhoto(f"drawn/{name}", _draw(lines, turn), title, description)
    for folder, count in LABELLED:
        files = sorted((DATA / folder).iterdir()) if (DATA / folder).is_dir() else []
        for i, file in enumerate(files[:: max(1, len(files) // count)][:count]):
            title = "Blue cotton dress 250 g" if i % 3 == 0 else ""
            yield GoldenPhoto(f"{folder}/{file.name}", file.read_bytes(), title)


def _draw(lines: tuple[tuple[str, int], ...], turn: int) -> bytes:
    """A pack with centred lines of text and a dimension line below it, as JPEG."""
    image = Image.new("RGB", (SIZE, SIZE), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((60, 60, SIZE - 60, SIZE - 110), radius=24, fill=PACK)
    draw.line((60, SIZE - 60, SIZE - 60, SIZE - 60), fill=INK, width=3)
    top = 120.0
    for text, height in lines:
        draw.text((SIZE / 2, top), text, INK, ImageFont.load_default(height), anchor="mt")
        top += 2 * height + 30
    file = BytesIO()
    image.rotate(turn).save(file, "JPEG", quality=92)
    return file.getvalue()
