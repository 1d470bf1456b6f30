"""How the page looks: narrow and wide, light and dark, and what axe finds. The pictures are in build/screenshots.

With RESFORMER_DOCS_PICTURES=1 two of them are written into docs.
"""

import os
import zipfile
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Opened
from tests.browser.steps import answer, photo_tab, read_sample, status
from tests.paths import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Scheme = Literal["light", "dark"]
DOCS = {("light", 1280): "page.png", ("dark", 1280): "page-dark.png"}


def serious_findings(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{found['id']}: {node['html'][:200]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def is_dark(page: Page) -> bool:
    colour = page.evaluate("getComputedStyle(document.querySelector('.rf-stage')).backgroundColor")
    channels = [float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
    return sum(channels) / 3 < 80


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks(opened: Opened, samples: dict[str, Path], tmp_path: Path, scheme: Scheme, width: int) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900 if width > 400 else 740})
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    assert is_dark(page) == (scheme == "dark")

    def keep(name: str, *, full_page: bool = True) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the screen"
        assert serious_findings(page) == [], name
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=full_page)

    keep("start")
    read_sample(page, "box")
    answer(page, "depth").focus()
    page.evaluate("scrollTo(0, 0)")
    if os.environ.get("RESFORMER_DOCS_PICTURES") and (picture := DOCS.get((scheme, width))):
        page.screenshot(path=ROOT / "docs" / picture)
    keep("photo")
    page.get_by_text("What is asked").click()
    answer(page, "width").click()
    expect(page.locator("#rf-alternatives-width")).to_be_visible()
    keep("asked")
    page.get_by_role("tab", name="Table").click()
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name, path in samples.items():
            archive.write(path, f"{name}.jpg")
    page.locator("#rf-zip-file input[type=file]").set_input_files(tmp_path / "photos.zip")
    expect(page.locator("#rf-zip-file a[download]")).to_be_visible()
    page.get_by_role("button", name="Score").click()
    expect(status(page, "table")).to_have_text("8 rows are scored.")
    expect(page.locator("a[download='answers.csv']")).to_be_visible()
    keep("table")
    page.get_by_role("tab", name="Compare").click()
    expect(status(page, "compare")).to_contain_text("answers")
    keep("compare")


def test_a_narrow_screen_keeps_the_photo_in_view(opened: Opened) -> None:
    page = opened(viewport={"width": 360, "height": 740})
    read_sample(page, "box")
    row = photo_tab(page).locator("tr[data-entity=maximum_weight_recommendation]")
    row.scroll_into_view_if_needed()
    page.mouse.wheel(0, 300)
    expect(photo_tab(page).locator(".rf-photo")).to_be_in_viewport()
    row.locator(".rf-value").focus()
    expect(page.locator(".rf-box.rf-lit")).to_be_in_viewport()
