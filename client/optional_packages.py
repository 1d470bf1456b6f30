"""Packages that only some calls need."""

from importlib import import_module
from typing import Any

__all__ = ["needed"]


def needed(module: str, *, by: str, packages: str) -> Any:
    """A module of a package that may be missing.

    Args:
        module: Its name.
        by: What needs it.
        packages: What to install.

    Raises:
        ImportError: It is not installed; the message says how to.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{by} needs {module}, which cannot be imported ({error}): pip install {packages}", name=module
        ) from error
