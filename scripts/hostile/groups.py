"""All groups of hostile cases: every module of this folder that has CASES."""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence

from resformer.scripts import hostile
from resformer.scripts.hostile.case import Case
from resformer.scripts.hostile.raw_exchange import Exchange

__all__ = ["all_cases", "choose"]


def all_cases() -> list[Case | Exchange]:
    """The cases of all modules, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(hostile.__path__))
    modules = [importlib.import_module(f"{hostile.__name__}.{name}") for name in names]
    return [case for module in modules for case in getattr(module, "CASES", ())]


def choose(cases: Iterable[Case | Exchange], groups: Sequence[str]) -> list[Case | Exchange]:
    """The cases of some groups, or all where none is named.

    Raises:
        ValueError: There is no such group.
    """
    cases = list(cases)
    known = list(dict.fromkeys(case.group for case in cases))
    if unknown := [group for group in groups if group not in known]:
        raise ValueError(f"there is no group {unknown[0]!r}; there are {', '.join(known)}")
    return [case for case in cases if not groups or case.group in groups]
