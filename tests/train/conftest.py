"""Photos with an OCR cache, a catalogue with photos, and fonts."""

import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.train.ocr.synthetic.fonts import Fonts, load_fonts
from resformer.train.settings.sources import OcrSource

COLOURS = {"Red": (200, 30, 30), "Green": (30, 170, 40), "Blue": (40, 50, 210)}
KINDS = ("Shirts", "Belts")


@pytest.fixture
def source(tmp_path: Path) -> OcrSource:
    """Photos with a text line each, and the OCR cache of versions of them that are twice as large."""
    rng = np.random.default_rng(0)
    rows = []
    (tmp_path / "photos").mkdir()
    for i in range(16):
        text = f"{rng.choice(['Net', 'Load', 'Golden'])} {rng.integers(10, 999)} g"
        image = Image.new("RGB", (320, 320), tuple(int(v) for v in rng.integers(150, 256, 3)))
        draw = ImageDraw.Draw(image)
        x, y = rng.integers(20, 120, 2).tolist()
        position, font = (x, y), ImageFont.load_default(36)
        draw.text(position, text, "black", font)
        x0, y0, x1, y1 = (2 * v for v in draw.textbbox(position, text, font))
        image.save(tmp_path / "photos" / f"{i}.png")
        corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
        rows.append({"image": f"{i}.png", "width": 640, "height": 640, "lines": [[corners, text, 0.95]]})
    rows.append({"image": "missing.png", "width": 640, "height": 640, "lines": []})
    with gzip.open(tmp_path / "words.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)))
    return OcrSource(photos=tmp_path / "photos", ocr=tmp_path / "words.jsonl.gz")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with table.csv and photos. Rectangles are shirts, bars are belts, half of them are striped."""
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
        blurb = f"No. {i}: {colour} {kind.lower()} with a {pattern.lower()} look"
        rows.append(f"{i}.png,Acme {i} {colour} {kind},{colour},{kind},{pattern},{blurb}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def fonts() -> Fonts:
    """The fonts for training; skips where they or the held-out ones are missing."""
    try:
        load_fonts(held_out=True)
        return load_fonts(held_out=False)
    except FileNotFoundError as error:
        # `make test` installs them where it can.
        if shutil.which("apt-get") and os.geteuid() == 0:
            raise
        pytest.skip(str(error))
