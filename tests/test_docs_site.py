"""The documentation site: it builds without a warning, its links lead somewhere, and it needs no other host."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

import resformer
from resformer.scripts.docs_site.command_line_page import command_names
from tests.paths import ROOT

# Elements that load what their attribute names, without a click.
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "embed": "src"}


@dataclass
class Page:
    """What a page has: its anchors, where its links lead, what it loads, and its text."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.page.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.page.classes |= set(values.get("class", "").split())
        if tag == "a" and "href" in values:
            self.page.links.append(values["href"])
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.page.loads.append(values["href"])
        if LOADS.get(tag) in values:
            self.page.loads.append(values[LOADS[tag]])

    def handle_data(self, data: str) -> None:
        self.page.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built by the command of `make docs`."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """All pages by their file."""
    found = {}
    for file in site.rglob("*.html"):
        reader = _Reader()
        reader.feed(file.read_text(encoding="utf-8"))
        found[file] = reader.page
    return found


def _target(link: str, page: Path, site: Path) -> Path:
    """The file that a link of a page leads to."""
    path = unquote(urlsplit(link).path)
    if not path:
        return page
    file = site / path.lstrip("/") if path.startswith("/") else (page.parent / path).resolve()
    return file / "index.html" if path.endswith("/") or file.is_dir() else file


def test_documents_outside_of_docs_are_pages(site: Path) -> None:
    for page in ("index.html", "benchmarks/index.html", "model-card/index.html", "changelog/index.html"):
        assert (site / page).exists(), page


def test_links_lead_to_files_and_anchors(site: Path, pages: dict[Path, Page]) -> None:
    wrong = []
    for file, page in pages.items():
        for link in {*page.links, *page.loads}:
            if urlsplit(link).scheme:
                continue
            target, anchor = _target(link, file, site), unquote(urldefrag(link).fragment)
            missing = not target.is_file() or (anchor and target in pages and anchor not in pages[target].anchors)
            if missing and anchor != "__skip":
                wrong.append(f"{file.relative_to(site)}: {link}")
    assert wrong == []
    assert sum(len(page.links) for page in pages.values()) > 500


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        assert [load for load in page.loads if urlsplit(load).netloc] == [], file
        # The theme would load what draws such a diagram.
        assert "mermaid" not in page.classes, file
    for file in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", file.read_text(encoding="utf-8")) == [], file


@pytest.mark.parametrize("name", command_names())
def test_commands_are_on_their_page(name: str, site: Path, pages: dict[Path, Page]) -> None:
    page = pages[site / "reference" / "command-line" / "index.html"]
    assert name in page.text
    assert name == "resformer" or name.replace(" ", "-") in page.anchors


def test_the_python_api_is_filled_in(site: Path, pages: dict[Path, Page]) -> None:
    client = pages[site / "reference" / "client" / "index.html"]
    assert {
        "resformer.client.Client.predict_many",
        "resformer.client.AsyncClient",
        "resformer.client.Result",
    } <= client.anchors
    page = pages[site / "reference" / "python" / "index.html"]
    assert {f"resformer.{name}" for name in resformer.__all__ if name != "__version__"} <= page.anchors
    assert "resformer.Predictor.predict" in page.anchors
    assert "the photo or the request cannot be used" in page.text
