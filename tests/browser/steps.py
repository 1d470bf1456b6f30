"""What a user does on the page."""

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

__all__ = [
    "answer",
    "copied",
    "copied_answers",
    "group",
    "photo_tab",
    "read_sample",
    "set_slider",
    "status",
    "wait_for_row",
]


def photo_tab(page: Page) -> Locator:
    return page.locator(".rf-photo-tab")


def status(page: Page, tab: str = "photo") -> Locator:
    return page.locator(f".rf-{tab}-tab .rf-status")


def wait_for_row(page: Page) -> None:
    expect(status(page)).to_contain_text("answers,")


def read_sample(page: Page, name: str = "oats") -> None:
    photo_tab(page).locator(f"[data-sample={name}]").click()
    wait_for_row(page)
    expect(photo_tab(page).locator(".rf-photo")).to_have_attribute("alt", f"{name}.jpg")


def answer(page: Page, entity: str) -> Locator:
    return photo_tab(page).locator(f"tr[data-entity={entity}] .rf-value")


def set_slider(page: Page, percent: int) -> None:
    page.locator("#rf-min-confidence").fill(str(percent))


def copied(page: Page, name: str) -> str:
    page.locator(f"[data-copy={name}]").click()
    return page.locator(".rf-copied").text_content() or ""


def copied_answers(page: Page) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(copied(page, "json"))
    return answers


def group(page: Page, label: str) -> Locator:
    """The visible group of checkboxes or radio buttons with this label."""
    return page.locator("fieldset:visible").filter(has=page.get_by_text(label, exact=True))
