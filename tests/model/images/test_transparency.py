"""Transparent photos stand on white, unless their letters are only seen on something darker."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.model.images.loading import decode_photo

Colour = tuple[int, int, int] | str
CLEAR = (0, 0, 0, 0)
# A corner, where nothing is drawn.
WHITE, BLACK, GREY = 255, 0, 128


def label(*texts: tuple[str, Colour, int], size: tuple[int, int] = (500, 400)) -> Image.Image:
    """Lines of text of a colour and a size on nothing."""
    image = Image.new("RGBA", size, CLEAR)
    y = 60
    for text, colour, height in texts:
        ImageDraw.Draw(image).text((50, y), text, colour, ImageFont.load_default(height))
        y += height + 20
    return image


def ground(image: Image.Image, format: str = "PNG") -> int:
    file = BytesIO()
    image.save(file, format, lossless=True)
    pixels = decode_photo(file.getvalue())
    assert np.ptp(pixels[0, 0]) == 0
    return int(pixels[0, 0, 0])


@pytest.mark.parametrize("colour", ["white", "ivory", "lightyellow", (235, 235, 235)])
@pytest.mark.parametrize("height", [12, 30, 90])
def test_white_text_stands_on_black(colour: Colour, height: int) -> None:
    assert ground(label(("500 g", colour, height))) == BLACK


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_white_text_in_every_format(format: str) -> None:
    assert ground(label(("Poids net 1,5 kg", "white", 30)), format) == BLACK


def test_white_text_on_a_palette_and_on_grey() -> None:
    image = label(("NET 250 ml", "white", 40))
    assert ground(image.convert("LA")) == BLACK
    assert ground(image.quantize(16)) == BLACK


@pytest.mark.parametrize("colour", ["black", "navy", "red", "orange", (200, 200, 200)])
def test_other_text_stands_on_white(colour: Colour) -> None:
    assert ground(label(("500 g", colour, 30))) == WHITE


def test_white_and_black_text_stand_on_grey() -> None:
    assert ground(label(("Haferflocken", "black", 40), ("500 g", "white", 40))) == GREY


def test_white_text_beside_a_dark_product_stands_on_grey() -> None:
    image = label(("500 g", "white", 40))
    ImageDraw.Draw(image).rectangle((50, 150, 400, 380), (20, 20, 20))
    assert ground(image) == GREY


def test_white_text_beside_a_red_product() -> None:
    image = label(("500 g", "white", 40))
    ImageDraw.Draw(image).rectangle((50, 150, 400, 380), "red")
    assert ground(image) != WHITE


def test_outlined_text_stands_on_white() -> None:
    image = Image.new("RGBA", (500, 400), CLEAR)
    font = ImageFont.load_default(40)
    ImageDraw.Draw(image).text((50, 60), "500 g", "white", font, stroke_width=3, stroke_fill="black")
    assert ground(image) == WHITE


def test_products_stand_on_white() -> None:
    mug = Image.new("RGBA", (500, 400), CLEAR)
    draw = ImageDraw.Draw(mug)
    draw.rounded_rectangle((100, 80, 300, 350), 30, (250, 250, 248))
    draw.arc((200, 140, 380, 280), -90, 90, (245, 245, 245), 25)
    assert ground(mug) == WHITE
    for x in (20, 60, 330, 450):  # specks that were left when it was cut out
        draw.line((x, 30, x + 8, 40), "white", 2)
    assert ground(mug) == WHITE
    draw.text((130, 200), "500 g", "black", ImageFont.load_default(40))
    assert ground(mug) == WHITE


def test_opaque_pixels_stay() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (90, 120, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(np.dstack([pixels, np.full((90, 120), 255, np.uint8)])).save(file, "PNG")
    assert (decode_photo(file.getvalue()) == pixels).all()
