"""Pages of files and folders of the repository that documents link to."""

from pathlib import Path

__all__ = ["file_page", "folder_page"]

LANGUAGES = {".yaml": "yaml", ".json": "json", ".py": "python", ".conf": "nginx"}


def file_page(path: str, text: str) -> str:
    """A text file as a page in Markdown."""
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"# {path}\n\n````{language}\n{text.rstrip()}\n````\n"


def folder_page(path: str, links: dict[str, str]) -> str:
    """The files of a folder as a page in Markdown, by name with where each one is."""
    lines = [f"- [{name}]({target})" for name, target in links.items()]
    return "\n".join([f"# {path}", "", *lines, ""])
