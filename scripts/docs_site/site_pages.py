"""The pages of the site: documents of the repository, wherever they lie, and generated ones."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import resformer
import resformer.client
from resformer.scripts.docs_site.command_line_page import command_line_page
from resformer.scripts.docs_site.http_api_page import http_api_page
from resformer.scripts.docs_site.notebook_page import notebook_page
from resformer.scripts.docs_site.python_api_page import python_api_page
from resformer.scripts.docs_site.repository_links import links_of, rewrite_links
from resformer.scripts.docs_site.settings_page import settings_page
from resformer.scripts.docs_site.source_page import file_page, folder_page

__all__ = ["site_files"]

DOCS = "docs"
OPENAPI = "handler/openapi.yaml"
# Documents outside of docs/ and their pages.
DOCUMENTS = {
    "README.md": "index.md",
    "BENCHMARKS.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "model/weights/README.md": "model-card.md",
}
# Files that a generated page is made from: what links to them leads to the page.
SHOWN_BY = {
    OPENAPI: "reference/http-api.md",
    **{
        f"train/settings/{name}.py": "reference/config-keys.md"
        for name in ("run_settings", "sources", "recipe_settings")
    },
}
GENERATED: Mapping[str, Callable[[Path], str]] = {
    "reference/http-api.md": lambda root: http_api_page(root / OPENAPI, "openapi.yaml"),
    "reference/command-line.md": lambda root: command_line_page(),
    "reference/config-keys.md": lambda root: settings_page(),
    "reference/python.md": lambda root: python_api_page(resformer, "Python", first="Predictor"),
    "reference/client.md": lambda root: python_api_page(resformer.client, "Python client", first="Client"),
}


@dataclass(frozen=True)
class _Document:
    """A text in Markdown whose links are relative to `source`, a path in the repository."""

    source: str
    page: str
    text: str


def site_files(root: Path) -> dict[str, str]:
    """The texts of all pages, and of the files beside them that are not in docs/, by their paths in the site.

    Args:
        root: The folder of the repository.
    """
    documents = _documents(root)
    pages = {document.source: document.page for document in documents} | SHOWN_BY
    for path in sorted({path for document in documents for path in links_of(document.text, document.source)}):
        is_site_file = path.startswith(f"{DOCS}/") and (root / path).is_file()
        if path not in pages and not is_site_file and (root / path).exists():
            document = _source_document(root, path)
            documents.append(document)
            pages[path] = document.page
    texts = {d.page: rewrite_links(d.text, d.source, d.page, pages, DOCS) for d in documents}
    downloads = {f"reference/{Path(OPENAPI).name}": root / OPENAPI}
    downloads |= {f"notebooks/{file.name}": file for file in _notebooks(root)}
    return texts | {path: file.read_text(encoding="utf-8") for path, file in downloads.items()}


def _documents(root: Path) -> list[_Document]:
    documents = [
        _Document(f"{DOCS}/{page}", page, (root / DOCS / page).read_text(encoding="utf-8"))
        for page in sorted(file.relative_to(root / DOCS).as_posix() for file in (root / DOCS).rglob("*.md"))
    ]
    documents += [_Document(s, page, (root / s).read_text(encoding="utf-8")) for s, page in DOCUMENTS.items()]
    documents += [_Document(f"{DOCS}/{page}", page, write(root)) for page, write in GENERATED.items()]
    for file in _notebooks(root):
        path = file.relative_to(root).as_posix()
        text = notebook_page(path, file.read_text(encoding="utf-8"))
        documents.append(_Document(path, f"notebooks/{file.stem}.md", text))
    return documents


def _notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("*.ipynb"))


def _source_document(root: Path, path: str) -> _Document:
    """A page that shows a file or lists a folder."""
    page = f"source/{path}.md"
    source = f"{DOCS}/{page}"
    if (root / path).is_file():
        return _Document(source, page, file_page(path, (root / path).read_text(encoding="utf-8")))
    files = sorted(file.relative_to(root).as_posix() for file in (root / path).iterdir() if file.is_file())
    links = {posixpath.basename(file): posixpath.relpath(file, posixpath.dirname(source)) for file in files}
    return _Document(source, page, folder_page(path, links))
