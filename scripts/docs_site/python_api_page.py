"""The reference of the Python API: the directives of what the package exports, which mkdocstrings fills in."""

import resformer

__all__ = ["python_api_page"]


def python_api_page() -> str:
    """The page in Markdown."""
    names = [name for name in resformer.__all__ if not name.startswith("_")]
    order = sorted(names, key=lambda name: (name != "Predictor", name))
    return "\n\n".join(
        ["# Python", (resformer.__doc__ or "").split("\n")[0], *(f"::: resformer.{name}" for name in order)]
    )
