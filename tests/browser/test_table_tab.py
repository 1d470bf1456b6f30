"""The tab "Table" as a user has it."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_table import score_table
from resformer.scripts.torchserve.server import Server
from tests.browser.steps import group, status
from tests.scripts.conftest import write_table

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PROGRESS = re.compile(r"^[1-9]\d* of 150 photos, \d+\.\d a second, (\d+ min )?\d+ s left$")
EVIL = "<img src=x onerror=document.title='owned'>.jpg"


@pytest.fixture
def photo_zip(samples: dict[str, Path], tmp_path: Path) -> Path:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("oats", "bottle", "box"):
            archive.write(samples[name], f"shop/{name}.jpg")
        archive.writestr(EVIL.replace("/", ""), samples["rice"].read_bytes())
        archive.writestr("broken.jpg", samples["oats"].read_bytes()[:3000])
    return path


@pytest.fixture
def table_tab(page: Page) -> Locator:
    page.get_by_role("tab", name="Table").click()
    return page.locator(".rf-table-tab")


def upload(page: Page, *, table: Path | None = None, photos: Path | None = None) -> None:
    for field, path in (("#rf-table-file", table), ("#rf-zip-file", photos)):
        if path:
            page.locator(f"{field} input[type=file]").set_input_files(path)
            expect(page.locator(field)).to_contain_text(path.stem)
            expect(page.locator(f"{field} a[download]")).to_be_visible()


def score(page: Page) -> None:
    page.get_by_role("button", name="Score").click()


def rows(tab: Locator) -> Locator:
    return tab.locator("tbody tr")


def test_a_zip_of_photos_is_scored(page: Page, table_tab: Locator, photo_zip: Path) -> None:
    upload(page, photos=photo_zip)
    score(page)
    expect(status(page, "table")).to_have_text("4 of 5 rows are answered; the table says why the others are not.")
    expect(rows(table_tab)).to_have_count(5)
    oats = rows(table_tab).filter(has_text="shop/oats.jpg")
    expect(oats).to_contain_text("500 gram")
    expect(oats.locator("img")).to_be_visible()
    assert oats.locator("img").evaluate("image => image.naturalWidth") > 40
    expect(rows(table_tab).filter(has_text="broken.jpg")).to_contain_text("CorruptImage")
    expect(rows(table_tab).filter(has_text="onerror")).to_contain_text("1 kilogram")
    assert page.title() == "Resformer"


def test_results_are_sorted_and_filtered(page: Page, table_tab: Locator, photo_zip: Path) -> None:
    upload(page, photos=photo_zip)
    score(page)
    expect(rows(table_tab)).to_have_count(5)
    weight = table_tab.get_by_role("button", name="item weight")
    weight.click()
    expect(table_tab.locator("th[aria-sort=ascending]")).to_contain_text("item weight")
    expect(rows(table_tab).first).to_contain_text("500 gram")
    table_tab.get_by_role("button", name="item weight").press("Enter")  # keeps the focus
    expect(rows(table_tab).first).to_contain_text("1 kilogram")
    table_tab.get_by_label("Entity").select_option("item_weight")
    table_tab.get_by_label("only rows with an answer").check()
    expect(rows(table_tab)).to_have_count(2)
    expect(table_tab.get_by_text("2 of 5 rows")).to_be_visible()
    expect(table_tab.locator("thead th")).to_have_count(2)
    table_tab.get_by_label("Minimum confidence").fill("98")
    expect(rows(table_tab)).to_have_count(1)
    expect(rows(table_tab).first).to_contain_text("1 kilogram")


def test_a_table_with_photos_and_the_file_to_download(
    page: Page, table_tab: Locator, photo_zip: Path, samples: dict[str, Path], server: Server, tmp_path: Path
) -> None:
    table = write_table(
        tmp_path / "products.csv", "index,image,colour", (11, "oats.jpg", "brown"), (12, "shop/box.jpg", "=1+1")
    )
    upload(page, table=table, photos=photo_zip)
    group(page, "Entities, for a table of products").get_by_role("checkbox", name="category", exact=True).uncheck()
    score(page)
    expect(rows(table_tab)).to_have_count(2)
    with page.expect_download() as download:
        page.locator("a[download='answers.csv']").click()
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("oats", "box"):
        (folder / f"{name}.jpg").write_bytes(samples[name].read_bytes())
    own = tmp_path / "own.csv"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    asked = [name for name in next(csv.reader(io.StringIO(text))) if f"{name}_confidence" in text]
    options = ScoreOptions(
        table=table,
        out=own,
        entities=asked,
        photos=folder,
        endpoints=[server.predictions_url],
        key_files=[server.key_file],
        reader="crops",
    )
    score_table(options)
    assert text.replace("shop/", "") == own.read_text(encoding="utf-8").replace("shop/", "")


def test_a_table_of_questions_has_one_column(page: Page, table_tab: Locator, photo_zip: Path, tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "questions.csv",
        "index,image_link,group_id,entity_name",
        (1, "oats.jpg", 1, "item_weight"),
        (2, "box.jpg", 1, "maximum_weight_recommendation"),
    )
    upload(page, table=table, photos=photo_zip)
    score(page)
    expect(rows(table_tab)).to_have_count(2)
    expect(rows(table_tab).nth(1)).to_contain_text("maximum_weight_recommendation")
    expect(rows(table_tab).nth(1)).to_contain_text("25 kilogram")
    table_tab.get_by_label("Entity").select_option("maximum_weight_recommendation")
    expect(rows(table_tab)).to_have_count(1)


def test_progress_is_shown_and_a_run_is_stopped(
    page: Page, table_tab: Locator, samples: dict[str, Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(150):
            archive.writestr(f"{number}.jpg", samples["shelf"].read_bytes())
    upload(page, photos=tmp_path / "many.zip")
    score(page)
    expect(status(page, "table")).to_have_text(PROGRESS)
    expect(page.get_by_role("button", name="Score")).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    expect(status(page, "table")).to_have_text(re.compile(r"^Stopped: \d+ of 150 rows are answered.$"))
    expect(page.locator("a[download='answers.csv']")).to_be_visible()
    expect(page.get_by_role("button", name="Score")).to_be_enabled()


def test_files_that_cannot_be_used_are_sentences(page: Page, table_tab: Locator, tmp_path: Path) -> None:
    problem = table_tab.get_by_role("alert")
    score(page)
    expect(problem).to_have_text("Choose a table (CSV), a zip of photos, or both.")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../evil.jpg", b"x")
    upload(page, photos=tmp_path / "evil.zip")
    score(page)
    expect(problem).to_contain_text("which lies outside of it. Make the zip again.")
    page.locator("#rf-zip-file").get_by_label("Clear").or_(
        page.locator("#rf-zip-file").get_by_label("Remove")
    ).first.click()
    table = tmp_path / "wrong.csv"
    table.write_text('image\n"a.jpg\n')
    upload(page, table=table)
    score(page)
    expect(problem).to_contain_text("wrong.csv, line 2")
    assert "Traceback" not in page.content() and str(tmp_path) not in page.content()
