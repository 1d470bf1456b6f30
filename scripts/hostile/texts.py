"""Photos full of print, and texts, names and numbers that take long to parse."""

import base64
import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resformer.scripts.hostile.case import Call, Case

__all__ = ["CASES", "READERS"]

READERS = ("crops", "builtin", "ppocr")
SIDE = 960
LONGEST = 10_000  # characters of title and description that are taken
MEGABYTES = 5_000_000  # characters of a name that no server takes
OK, REFUSED = frozenset({200}), frozenset({400, 413})

# What a photo is filled with.
PRINT = "Ingredients: oats 12 g, sugar 3.5 g, salt 0.4 g; store below 25 C. "
DIGITS = "0123456789 "
AMOUNTS = "10x20x30cm 5lb3oz 6x330ml 240V 60W "
DOUBTFUL = "O0l1I|S5B8Z2 "


def _filled(text: str, size: int, *, width: int = SIDE, height: int = SIDE, turn: int = 0, step: float = 1.3) -> bytes:
    """Lines of a text, one below the other, to all sides of a photo that is then turned by degrees."""
    image = Image.new("L", (width, height), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    row = text * (1 + round(width / max(1.0, font.getlength(text))))
    for n, y in enumerate(np.arange(0, height, size * step)):
        draw.text((-(n * 37 % 60), y), row, 0, font)
    return _png(image.rotate(turn, expand=True))


def _scattered(text: str, size: int) -> bytes:
    """Short pieces of text in a grid, each a line of its own."""
    image = Image.new("L", (SIDE, SIDE), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    step = 2.5 * size
    for n, y in enumerate(np.arange(0, SIDE, 1.6 * size)):
        for m, x in enumerate(np.arange(0, SIDE, step)):
            draw.text((x, y), text[(7 * n + m) % len(text) :][:3], 0, font)
    return _png(image)


def _columns(size: int) -> bytes:
    """Numbers upright and upside down, across and downward, side by side."""
    tile = Image.open(BytesIO(_filled(AMOUNTS, size, width=SIDE // 2, height=SIDE // 2)))
    image = Image.new("L", (SIDE, SIDE))
    for n in range(4):
        image.paste(tile.rotate(90 * n), (SIDE // 2 * (n % 2), SIDE // 2 * (n // 2)))
    return _png(image)


def _checkerboard(size: int) -> bytes:
    rows, columns = np.indices((SIDE, SIDE)) // size
    return _png(Image.fromarray(((rows + columns) % 2 * 255).astype(np.uint8)))


def _stripes(period: int) -> bytes:
    """Bars, as of a barcode that fills the photo, with short ones between them."""
    rows, columns = np.indices((SIDE, SIDE))
    bars = (columns * 7919 // period % 5 < 2) & (rows // 40 % 2 == 0)
    return _png(Image.fromarray((~bars * 255).astype(np.uint8)))


def _noise(low: int, cell: int) -> bytes:
    grey = np.random.default_rng(0).integers(low, 256, (SIDE // cell, SIDE // cell), np.uint8)
    return _png(Image.fromarray(np.kron(grey, np.ones((cell, cell), np.uint8))))


def _moire(period: float) -> bytes:
    """Rings that beat with the pixels."""
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    return _png(Image.fromarray((127 + 127 * np.sin((rows**2 + columns**2) / period)).astype(np.uint8)))


def _segments(count: int) -> bytes:
    """Thin lines in all directions, as of a drawing."""
    image = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(image)
    for x0, y0, x1, y1 in np.random.default_rng(0).integers(0, SIDE, (count, 4)).tolist():
        draw.line((x0, y0, x0 + (x1 - x0) // 6, y0 + (y1 - y0) // 6), 0, 1)
    return _png(image)


def _dashes() -> bytes:
    """Ten thousand strokes of the size of letters."""
    image = np.full((SIDE, SIDE), 255, np.uint8)
    for y in range(0, SIDE, 9):
        image[y : y + 5, :: 9 + y % 3] = 0
        image[y : y + 5, 1 :: 9 + y % 3] = 0
    return _png(Image.fromarray(image))


@cache
def _plain() -> bytes:
    """A photo without text: what is sent with it is the attack."""
    return _png(Image.new("L", (64, 64), 200))


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _photo_call(make: Callable[[], bytes], reader: str) -> Callable[[], Call]:
    return lambda: Call(make(), {"Content-Type": "image/png", "X-Reader": reader})


def _text_call(**fields: Any) -> Callable[[], Call]:
    def make() -> Call:
        body = {"image_b64": base64.b64encode(_plain()).decode(), **fields}
        return Call(json.dumps(body).encode(), {"Content-Type": "application/json"})

    return make


def _repeated(text: str, length: int = LONGEST) -> str:
    return (text * (length // len(text) + 1))[:length]


PHOTOS: dict[str, Callable[[], bytes]] = {
    "tiny print": lambda: _filled(PRINT, 10),
    "tiny digits": lambda: _filled(DIGITS, 10),
    "small amounts": lambda: _filled(AMOUNTS, 14),
    "amounts": lambda: _filled(AMOUNTS, 20),
    "doubtful letters": lambda: _filled(DOUBTFUL, 16),
    "grid of digits": lambda: _scattered("0123456789012", 12),
    "grid of words": lambda: _scattered("netcmozlbkgml", 16),
    "grid of units": lambda: _scattered("5g 6g 7g 8g 9g ", 14),
    "print on its side": lambda: _filled(PRINT, 16, turn=90),
    "amounts on their side": lambda: _filled(AMOUNTS, 16, turn=270),
    "print on its head": lambda: _filled(PRINT, 16, turn=180),
    "slanted print": lambda: _filled(AMOUNTS, 16, turn=30),
    "print in four directions": lambda: _columns(14),
    "lines that touch": lambda: _filled(AMOUNTS, 14, step=0.9),
    "long page of amounts": lambda: _filled(AMOUNTS, 16, width=1100, height=22_000),
    "wide page of print": lambda: _filled(PRINT, 16, width=27_000, height=1500),
    "large page of amounts": lambda: _filled(AMOUNTS, 40, width=4400, height=11_000),
    "thin strip": lambda: _filled(DIGITS, 8, width=10, height=65_535),
    "strip of digits": lambda: _filled(DIGITS, 14, width=760, height=65_535),
    "band of print": lambda: _filled(PRINT, 16, width=65_535, height=100),
    "narrow page of digits": lambda: _filled(DIGITS, 14, width=200, height=20_000),
    "checkerboard of 2 pixels": lambda: _checkerboard(2),
    "checkerboard of 8 pixels": lambda: _checkerboard(8),
    "checkerboard of 20 pixels": lambda: _checkerboard(20),
    "barcode": lambda: _stripes(3),
    "wide barcode": lambda: _stripes(31),
    "noise": lambda: _noise(0, 1),
    "faint noise": lambda: _noise(200, 2),
    "coarse noise": lambda: _noise(0, 5),
    "moire": lambda: _moire(41.0),
    "fine moire": lambda: _moire(7.0),
    "drawn segments": lambda: _segments(6000),
    "dashes": _dashes,
}

# What a title of 10,000 characters repeats.
TITLES: dict[str, str] = {
    "vulgar fractions": "½",
    "misread grams": "909/3.18 oz ",
    "multi-packs": "6 x 330 ml ",
    "pieces": "4 bouteilles de 20 cl ",
    "chains": "10 x 20 x 30 cm ",
    "one chain": "10x",
    "ranges": "5-6 kg ",
    "lists": "5/",
    "bare numbers": "1 ",
    "thousands": "1,000,",
    "one number": "1",
    "points": "1.",
    "compounds": "5 lb 3 oz ",
    "feet and inches": "5' 2\" ",
    "axes": "W10 H20 D30 ",
    "legends": "(W x D x H) ",
    "tolerances": "300±5 mm ",
    "voltages": "100-240 V ~ 50/60 Hz ",
    "confused letters": "O0lI|SBZ ",
    "confused numbers": "1SBZ kg ",
    "units alone": "kilogram gram litre ",
    "units without spaces": "5kgkg",
    "brackets": "(",
    "amounts in brackets": "(5) ",
    "spaces": " ",
    "amounts far apart": "5" + 40 * " " + "g ",
    "line breaks": "5 g\n",
    "null characters": "5\0",
    "other digits": "٥٠٠ جم ",
    "unspaced units": "500公克",
    "emoji": "😀",
    "combining accents": "e\u0301\u0302",
    "zero-width spaces": "5\u200bg",
    "right-to-left marks": "\u202e5 kg",
    "one word": "abc",
    "decimal commas": "1,5 kg ",
    "superscripts": "3³/8 ",
}

FIELDS: dict[str, tuple[dict[str, Any], frozenset[int]]] = {
    "spaces between two numbers": ({"title": "5" + 9990 * " " + "g 6 g"}, OK),
    "hyphens between two numbers": ({"title": "5" + 9990 * "-" + "6 g"}, OK),
    "a number of 9,000 digits": ({"title": "1" + 2300 * ",111" + " kg"}, OK),
    "a description of numbers": ({"description": _repeated("5 g ")}, OK),
    "title and description of numbers": (
        {"title": _repeated("½", 5000), "description": _repeated("909/3.18 oz ", 5000)},
        OK,
    ),
    "a title that is too long": ({"title": "5 g" * 5000}, frozenset({400})),
    "a title of megabytes": ({"title": _repeated("5 g ", MEGABYTES)}, REFUSED),
    "a description of megabytes": ({"description": _repeated("½", MEGABYTES // 2)}, REFUSED),
    "an entity of megabytes": ({"entities": _repeated("width_", MEGABYTES)}, REFUSED),
    "thousands of one entity": ({"entities": 20_000 * ["width"]}, OK | REFUSED),
    "thousands of entities": ({"entities": [f"width{i}" for i in range(20_000)]}, REFUSED),
    "a reader of megabytes": ({"reader": _repeated("crops", MEGABYTES)}, REFUSED),
    "a reader of emoji": ({"reader": _repeated("😀", 10_000)}, REFUSED),
    "a group of megabytes": ({"group_id": _repeated("7", MEGABYTES)}, OK | REFUSED),
    "a group with an exponent": ({"group_id": "1e99"}, OK | REFUSED),
    "a group of half a character": ({"group_id": "\ud800", "title": "5 g"}, OK | REFUSED),
    "a title of half a character": ({"title": "5 g \ud800"}, REFUSED),
    "all alternatives of numbers": ({"title": _repeated("5 g 6 cm "), "top_k": 100, "min_confidence": 0}, OK),
    "more alternatives than taken": ({"top_k": 10**9}, REFUSED),
    "alternatives below none": ({"top_k": -1}, REFUSED),
}

CASES: tuple[Case, ...] = (
    *(
        Case("print", f"{name}, {reader}", _photo_call(photo, reader), OK)
        for name, make in PHOTOS.items()
        for photo in [cache(make)]
        for reader in READERS
    ),
    *(Case("text", name, _text_call(title=_repeated(text)), OK) for name, text in TITLES.items()),
    *(Case("text", name, _text_call(**fields), statuses) for name, (fields, statuses) in FIELDS.items()),
)
