"""A notebook as a page."""

import json

__all__ = ["notebook_page"]


def notebook_page(path: str, text: str) -> str:
    """A notebook in Markdown, its code without outputs.

    Args:
        path: Of the notebook in the repository.
        text: The file.
    """
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"]).strip()
        parts.append(f"```python\n{source}\n```" if cell["cell_type"] == "code" else source)
    about = f"*This page is the notebook [`{path}`](../{path}), which the tests run.*"
    return "\n\n".join([parts[0], about, *parts[1:]]) + "\n"
