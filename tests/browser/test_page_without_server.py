"""What the page says where its server does not answer."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from resformer.scripts.torchserve.server import Server
from tests.browser.conftest import Opened, served_page
from tests.browser.steps import photo_tab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_server_that_is_down_and_a_wrong_key_are_sentences(opened: Opened, server: Server, tmp_path: Path) -> None:
    key_file = tmp_path / "inference"
    key_file.write_text("wrong")
    for number, (url, message) in enumerate(
        [
            (f"http://127.0.0.1:{server.port + 9}/predictions/resformer", "does not answer"),
            (server.predictions_url, "refuses the key. Name the file with its key: `resformer demo --key-file"),
        ]
    ):
        options = ("--server", url, "--key-file", str(key_file))
        with served_page(*options, folder=tmp_path, port=server.port + 6 + number) as address:
            page = opened(address)
            photo_tab(page).locator("[data-sample=oats]").click()
            problem = photo_tab(page).get_by_role("alert")
            expect(problem).to_contain_text(message)
            assert "Traceback" not in page.content()
            expect(photo_tab(page).locator(".rf-photo")).to_be_visible()
            page.context.close()
