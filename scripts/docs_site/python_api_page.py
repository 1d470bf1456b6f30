"""The reference of a package's Python API: directives of what it exports, which mkdocstrings fills in."""

from types import ModuleType

__all__ = ["python_api_page"]


def python_api_page(package: ModuleType, title: str, *, first: str) -> str:
    """The page of a package in Markdown, with the class that is used most before the others."""
    names = [name for name in package.__all__ if not name.startswith("_")]
    order = sorted(names, key=lambda name: (name != first, name))
    described = (package.__doc__ or "").split("\n")[0]
    return "\n\n".join([f"# {title}", described, *(f"::: {package.__name__}.{name}" for name in order)])
