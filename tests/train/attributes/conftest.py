"""A small catalogue whose photos show what its table says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

COLOURS = {"Red": (200, 30, 30), "Green": (30, 170, 40), "Blue": (40, 50, 210)}
KINDS = ("Shirts", "Belts")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with table.csv and photos: squares are shirts, bars are belts; half of them are striped."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "photos").mkdir()
    rng = np.random.default_rng(0)
    rows = ["id,name,colour,kind,pattern,blurb"]
    for i in range(96):
        colour = list(COLOURS)[rng.integers(3)]
        kind = KINDS[rng.integers(2)]
        pattern = ("Solid", "Stripe")[rng.integers(2)]
        image = Image.new("RGB", (90, 120), "white")
        draw = ImageDraw.Draw(image)
        x, y = (int(v) for v in rng.integers(5, 15, 2))
        box = (x, y, x + 60, y + 80) if kind == "Shirts" else (x, y + 40, x + 65, y + 55)
        draw.rectangle(box, COLOURS[colour])
        if pattern == "Stripe":
            for left in range(box[0], box[2], 16):
                draw.rectangle((left, box[1], left + 9, box[3]), "black")
        image.save(folder / "photos" / f"{i}.png")
        blurb = f"{colour} {kind.lower()} with a {pattern.lower()} look"
        rows.append(f"{i}.png,Acme {colour} {kind},{colour},{kind},{pattern},{blurb}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    return folder
