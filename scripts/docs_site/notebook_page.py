"""A notebook as a page."""

import json

__all__ = ["notebook_page"]

# The first line of a cell whose commands are the shell's.
SHELL = "%%bash"


def notebook_page(path: str, text: str) -> str:
    """A notebook in Markdown, its code without outputs.

    Args:
        path: Of the notebook in the repository.
        text: The file.
    """
    parts = [_markdown(cell["cell_type"], "".join(cell["source"]).strip()) for cell in json.loads(text)["cells"]]
    name = path.rsplit("/", 1)[-1]
    about = (
        f"*This page is the notebook `{path}` without its outputs; the tests run it.* "
        f'<a href="../{name}" download>Download the notebook</a>'
    )
    return "\n\n".join([parts[0], about, *parts[1:]]) + "\n"


def _markdown(kind: str, source: str) -> str:
    if kind != "code":
        return source
    if source.startswith(SHELL):
        return f"```bash\n{source.removeprefix(SHELL).strip()}\n```"
    return f"```python\n{source}\n```"
