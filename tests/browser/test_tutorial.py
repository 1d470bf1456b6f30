"""What somebody sees who follows the tutorial. The pictures are in build/screenshots.

With RESFORMER_DOCS_PICTURES=1 they are written into docs.
"""

import os
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.steps import answer, photo_tab, wait_for_row
from tests.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

BLUE, RED, TABLE = "#1b4b9b", "#b3261e", "#d9d2c5"


def photo_of_pasta(path: Path) -> Path:
    """A pack on a kitchen table, held a little askew."""
    photo = Image.new("RGB", (1000, 1200), TABLE)
    draw = ImageDraw.Draw(photo)
    draw.rounded_rectangle((190, 130, 810, 1060), radius=26, fill=BLUE)
    draw.rectangle((190, 300, 810, 470), fill=RED)
    for x in range(300, 720, 50):
        draw.ellipse((x, 650, x + 34, 740), outline="#f6c945", width=7)
    prints = [(385, "PRIMAVERA", 96), (560, "Durum wheat pasta", 50), (870, "Net weight 750 g", 58)]
    for y, text, size in [*prints, (950, "Cooks in 9 minutes", 34)]:
        draw.text((500, y), text, "white", ImageFont.load_default(size), anchor="mm")
    photo.rotate(3, Image.Resampling.BICUBIC, fillcolor=TABLE).save(path, quality=90)
    return path


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture = page.screenshot(path=SCREENSHOTS / name)
    if os.environ.get("RESFORMER_DOCS_PICTURES"):
        (ROOT / "docs" / name).write_bytes(picture)


def test_a_newcomer_reads_the_row_of_an_own_photo(page: Page, tmp_path: Path) -> None:
    keep(page, "tutorial-start.png")
    photo_tab(page).locator("input[type=file]").set_input_files(photo_of_pasta(tmp_path / "pasta.jpg"))
    wait_for_row(page)
    expect(answer(page, "item_weight")).to_have_text("750 gram")
    for name in ("width", "voltage", "item_volume", "gender"):
        expect(answer(page, name)).to_have_text("not shown")
    # A network that knows no pasta says nothing in place of something wrong.
    expect(answer(page, "title")).to_have_text("not sure enough")
    answer(page, "item_weight").focus()
    expect(page.locator(".rf-box.rf-lit")).to_have_count(1)
    page.evaluate("scrollTo(0, 0)")
    keep(page, "tutorial-row.png")
