"""Photos with words, as a reader finds them, and the fonts that print is drawn with."""

import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.train.config import Source
from resformer.train.ocr.synthetic.fonts import Fonts, load_fonts


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Photos with a line of print each, and the words on versions of them twice as large."""
    rng = np.random.default_rng(0)
    rows = []
    (tmp_path / "photos").mkdir()
    for i in range(16):
        text = f"{rng.choice(['Net', 'Load', 'Golden'])} {rng.integers(10, 999)} g"
        image = Image.new("RGB", (320, 320), tuple(int(v) for v in rng.integers(150, 256, 3)))
        draw = ImageDraw.Draw(image)
        place, font = tuple(int(v) for v in rng.integers(20, 120, 2)), ImageFont.load_default(36)
        draw.text(place, text, "black", font)
        x0, y0, x1, y1 = (2 * v for v in draw.textbbox(place, text, font))
        image.save(tmp_path / "photos" / f"{i}.png")
        corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
        rows.append({"image": f"{i}.png", "width": 640, "height": 640, "lines": [[corners, text, 0.95]]})
    rows.append({"image": "missing.png", "width": 640, "height": 640, "lines": []})
    with gzip.open(tmp_path / "words.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)))
    return Source("read", photos=tmp_path / "photos", words=tmp_path / "words.jsonl.gz")


@pytest.fixture(scope="session")
def fonts() -> Fonts:
    """The fonts of training. Those held out are there too, as `make fonts` installs both."""
    try:
        load_fonts(held_out=True)
        return load_fonts(held_out=False)
    except FileNotFoundError as error:
        # Where `make test` could have installed them they must be there.
        if shutil.which("apt-get") and os.geteuid() == 0:
            raise
        pytest.skip(str(error))
