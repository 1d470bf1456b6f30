"""The page in front of a real server, and Chromium to use it with."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from resformer.scripts.lib.sample_photos import write_samples
from resformer.scripts.torchserve.java import java_home
from resformer.scripts.torchserve.server import Server
from tests.paths import ROOT
from tests.servers import free_ports

SCREENSHOTS = ROOT / "build" / "screenshots"
START_SECONDS = 120.0
WAIT_SECONDS = 60.0
# A container has no sandbox of its own for its root, and no camera.
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

expect.set_options(timeout=1000 * WAIT_SECONDS)


@pytest.fixture(scope="session")
def server(archive: Path) -> Iterator[Server]:
    server = Server(free_ports(), archive.parents[1])
    server.start(java_home())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_samples(tmp_path_factory.mktemp("samples"))


@contextmanager
def served_page(*arguments: str, folder: Path, port: int) -> Iterator[str]:
    """The address of a page that `resformer demo` serves; its output is in page.log of the folder."""
    command = [sys.executable, "-m", "resformer", "demo", "--port", str(port), "--no-open", *arguments]
    log = folder / "page.log"
    with open(log, "w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        try:
            ends = time.monotonic() + START_SECONDS
            while "The page is at" not in log.read_text():
                assert process.poll() is None and time.monotonic() < ends, log.read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="session")
def address(server: Server, page_folder: Path) -> Iterator[str]:
    options = ("--server", server.predictions_url, "--key-file", str(server.key_file), "--samples", "samples")
    with served_page(*options, folder=page_folder, port=server.port + 5) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed; `make test-browser` as root installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@dataclass
class Seen:
    """What went on beside the page itself."""

    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    responses: list[Response] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)


Opened = Callable[..., Page]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def opened(browser: Browser, address: str, seen: Seen) -> Iterator[Opened]:
    """Opens the page; at the end there were no errors in its console, and it talked to this machine alone."""
    contexts: list[BrowserContext] = []

    def open_page(url: str = address, script: str = "", **options: Any) -> Page:
        given = {"viewport": {"width": 1280, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}
        context = browser.new_context(**{**given, **options})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.set_default_timeout(1000 * WAIT_SECONDS)
        page.on("console", seen.console)
        page.on("pageerror", lambda error: seen.problems.append(f"error: {error}"))
        page.on("requestfailed", lambda request: seen.problems.append(f"failed: {request.url} {request.failure}"))
        page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).hostname or ""))
        page.on("response", lambda response: seen.responses.append(response))
        page.goto(url)
        expect(page.locator("[data-sample=oats]")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A page that is closed cancels the stream of its events.
    problems = [text for text in seen.problems if "ERR_ABORTED" not in text]
    assert problems == []
    assert seen.hosts <= {"127.0.0.1", ""}  # "": data in addresses


@pytest.fixture
def page(opened: Opened) -> Page:
    return opened()
