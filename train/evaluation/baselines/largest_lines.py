"""A title from the largest text on a photo."""

from resformer.model.ocr.page import Page

__all__ = ["MAX_WORDS", "largest_lines"]

MAX_WORDS = 12


def largest_lines(page: Page) -> str:
    """The text lines of a page, largest first, joined and cut to MAX_WORDS."""
    lines = sorted(page.lines, key=page.text_height, reverse=True)
    return " ".join([word for line in lines for word in line.text.split()][:MAX_WORDS])
