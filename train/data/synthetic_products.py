"""Drawn photos of catalogue products: simple shapes in colours, some of them striped, with the rows of a catalogue."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["KINDS", "CatalogueProduct", "draw_product", "random_product"]

SIZE = (90, 120)  # pixels
COLOURS = {
    "Red": (200, 30, 30),
    "Green": (30, 150, 50),
    "Blue": (40, 60, 210),
    "Yellow": (235, 205, 40),
    "Black": (25, 25, 25),
}
Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ProductKind:
    """A kind of product.

    Attributes:
        article: its leaf of the fashion taxonomy, empty for other products.
        retail: its path in a shop's own tree, empty for fashion. category: a node of the product tree.
        season, usage: labels of the schema.
        outline: corners of its shape, as fractions of the photo's sides.
    """

    noun: str
    outline: Polygon
    article: tuple[str, str, str] = ("", "", "")
    retail: str = ""
    category: str = ""
    season: str = ""
    usage: str = ""


KINDS = (
    ProductKind(
        "t-shirt",
        (
            (0.3, 0.2),
            (0.7, 0.2),
            (0.95, 0.4),
            (0.8, 0.5),
            (0.72, 0.42),
            (0.72, 0.85),
            (0.28, 0.85),
            (0.28, 0.42),
            (0.2, 0.5),
            (0.05, 0.4),
        ),
        article=("Apparel", "Topwear", "Tshirts"),
        category="Apparel & Accessories > Clothing",
        season="Summer",
        usage="Casual",
    ),
    ProductKind(
        "trousers",
        ((0.3, 0.1), (0.7, 0.1), (0.78, 0.92), (0.58, 0.92), (0.5, 0.4), (0.42, 0.92), (0.22, 0.92)),
        article=("Apparel", "Bottomwear", "Trousers"),
        category="Apparel & Accessories > Clothing",
        season="Winter",
        usage="Formal",
    ),
    ProductKind(
        "dress",
        ((0.38, 0.1), (0.62, 0.1), (0.6, 0.4), (0.88, 0.92), (0.12, 0.92), (0.4, 0.4)),
        article=("Apparel", "Dress", "Dresses"),
        category="Apparel & Accessories > Clothing",
        season="Summer",
        usage="Party",
    ),
    ProductKind(
        "handbag",
        ((0.12, 0.45), (0.35, 0.45), (0.35, 0.2), (0.65, 0.2), (0.65, 0.45), (0.88, 0.45), (0.94, 0.88), (0.06, 0.88)),
        article=("Accessories", "Bags", "Handbags"),
        category="Apparel & Accessories > Bags, Wallets & Luggage",
        season="Fall",
        usage="Casual",
    ),
    ProductKind(
        "mug",
        ((0.2, 0.3), (0.7, 0.3), (0.9, 0.45), (0.9, 0.65), (0.7, 0.75), (0.65, 0.85), (0.25, 0.85)),
        retail="Kitchen & Dining > Coffee Mugs",
        category="Home & Kitchen > Tableware & Drinkware",
    ),
    ProductKind(
        "bottle",
        ((0.42, 0.08), (0.58, 0.08), (0.58, 0.3), (0.7, 0.4), (0.7, 0.94), (0.3, 0.94), (0.3, 0.4), (0.42, 0.3)),
        retail="Kitchen & Dining > Containers & Bottles > Bottles & Sippers > Water bottle",
        category="Home & Kitchen > Tableware & Drinkware > Water Bottle",
    ),
)


@dataclass(frozen=True)
class CatalogueProduct:
    """A catalogue's row of a product."""

    kind: ProductKind
    colour: str
    striped: bool
    gender: str
    brand: str

    @property
    def title(self) -> str:
        """Brand, gender, colour and kind."""
        pattern = "Striped " if self.striped else ""
        return f"{self.brand} {self.gender} {pattern}{self.colour} {self.kind.noun.title()}"

    @property
    def description(self) -> str:
        """A sentence about it."""
        pattern = "with black stripes" if self.striped else "in one colour"
        return f"{self.colour} {self.kind.noun} {pattern}. For {self.kind.usage.lower() or 'daily'} use."


def random_product(rng: np.random.Generator, *, retail: bool = False) -> CatalogueProduct:
    """A fashion product, or one of a retail catalogue."""
    kinds = [kind for kind in KINDS if bool(kind.retail) == retail]
    return CatalogueProduct(
        kinds[rng.integers(len(kinds))],
        str(rng.choice(list(COLOURS))),
        bool(rng.random() < 0.3),
        str(rng.choice(["Men", "Women"])),
        str(rng.choice(["Acme", "Globex", "Initech"])),
    )


def draw_product(product: CatalogueProduct, rng: np.random.Generator) -> Image.Image:
    """A photo of the product in front of a light background."""
    background = tuple(int(v) for v in rng.integers(225, 256, 3))
    image = Image.new("RGB", SIZE, background)
    scale = rng.uniform(0.8, 1.0)
    shift = rng.uniform(0, 1 - scale, 2)
    corners = [tuple((np.array(corner) * scale + shift) * SIZE) for corner in product.kind.outline]
    shape = Image.new("L", SIZE)
    ImageDraw.Draw(shape).polygon(corners, fill=255)
    noise = rng.integers(-12, 13, 3)
    cloth = Image.new("RGB", SIZE, tuple(int(v) for v in np.clip(np.array(COLOURS[product.colour]) + noise, 0, 255)))
    if product.striped:
        draw = ImageDraw.Draw(cloth)
        stripe = "white" if product.colour == "Black" else "black"
        for y in range(int(rng.integers(0, 14)), SIZE[1], 14):
            draw.rectangle((0, y, SIZE[0], y + 5), fill=stripe)
    image.paste(cloth, mask=shape)
    return image.filter(ImageFilter.GaussianBlur(0.5))
