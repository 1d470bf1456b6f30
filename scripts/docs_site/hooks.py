"""The hook of MkDocs that adds the pages of the site."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from resformer.scripts.docs_site.site_pages import site_files

__all__ = ["on_files"]

ROOT = Path(__file__).resolve().parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds pages from outside of docs/ and generated ones; those of docs/ get links that fit the site."""
    for path, text in site_files(ROOT).items():
        if file := files.get_file_from_path(path):
            files.remove(file)
        files.append(File.generated(config, path, content=text))
    return files
