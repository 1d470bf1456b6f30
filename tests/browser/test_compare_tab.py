"""The tab "Compare" as a user has it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import group, read_sample, status

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DONE = re.compile(r"^(\d+ of 18 answers differ|All 18 answers are the same)\.$")


@pytest.fixture
def tab(page: Page) -> Locator:
    return page.locator(".rf-compare-tab")


def test_two_readers_are_compared_and_differences_marked(page: Page, tab: Locator) -> None:
    page.get_by_role("tab", name="Compare").click()
    group(page, "Second").get_by_role("radio", name="builtin").check()
    tab.locator("[data-sample=box]").click()
    expect(status(page, "compare")).to_have_text(DONE)
    expect(tab.locator("thead")).to_contain_text("crops")
    expect(tab.locator("thead")).to_contain_text("builtin")
    expect(tab.locator("tr[data-entity=depth] td").nth(1)).to_contain_text("40 centimetre")
    for row in tab.locator("tbody tr").all():
        first, second = (
            cell.locator(".rf-value:not(.rf-empty)").all_text_contents() for cell in row.locator("td").all()
        )
        assert ("differs" in (row.locator("th").text_content() or "")) == (first != second)


def test_the_photo_of_the_first_tab_is_compared(page: Page, tab: Locator) -> None:
    read_sample(page, "charger")
    page.get_by_role("tab", name="Compare").click()
    expect(tab.locator("tr[data-entity=wattage] td").first).to_contain_text("65 watt")
    expect(tab.locator(".rf-photo")).to_have_attribute("alt", "charger.jpg")
    tab.locator("tr[data-entity=wattage]").hover()
    expect(tab.locator(".rf-box.rf-lit")).to_have_count(2)  # one of each side
    group(page, "Second").get_by_role("radio", name="crops").check()
    expect(status(page, "compare")).to_have_text("All 18 answers are the same.")
    expect(tab.locator(".rf-differs")).to_have_count(0)
