"""Links between files of the repository, as links between pages of the site."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

__all__ = ["links_of", "rewrite_links"]

FENCE = re.compile(r"^ *(`{3,}).*?^ *\1`*$", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"(?<=\]\()([^)#\s]+)")


def links_of(markdown: str, source: str) -> Iterator[str]:
    """The files and folders that a document links to.

    Args:
        markdown: The text of the document.
        source: Its path in the repository, with slashes.

    Yields:
        Paths in the repository.
    """
    for target in TARGET.findall(FENCE.sub("", markdown)):
        if _is_file(target):
            yield _resolve(target, source)


def rewrite_links(markdown: str, source: str, page: str, pages: Mapping[str, str], site_folder: str) -> str:
    """The text with links to pages instead of files.

    Args:
        markdown: The text of a document.
        source: Its path in the repository, with slashes.
        page: The path of its page.
        pages: Of files and folders of the repository, the paths of their pages.
        site_folder: The folder of the site's own files in the repository; a link there stays a link to the file.
    """

    def rewritten(match: re.Match[str]) -> str:
        target = match[1]
        if not _is_file(target):
            return target
        path = _resolve(target, source)
        return posixpath.relpath(pages.get(path, path.removeprefix(f"{site_folder}/")), posixpath.dirname(page) or ".")

    return _outside_fences(markdown, lambda text: TARGET.sub(rewritten, text))


def _outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    parts = []
    end = 0
    for fence in FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])


def _is_file(target: str) -> bool:
    return "://" not in target and not target.startswith("mailto:")


def _resolve(target: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
