"""The rules of docs/architecture.md: which folder may import which, how deep, and that a name means one thing."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

FOLDERS = ("model", "handler", "train", "scripts", "client")
# What each folder may import of the others.
ALLOWED = {
    "model": set(),
    "client": set(),
    "handler": {"model"},
    "train": {"model"},
    "scripts": {"model", "handler", "train", "client"},
}
MAX_LEVELS = 9


@cache
def imports() -> dict[str, set[str]]:
    """The names that every module imports, also inside functions."""
    found = {}
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
            names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
            for node in nodes:
                if isinstance(node, ast.ImportFrom) and node.module:
                    names |= {f"{node.module}.{alias.name}" for alias in node.names}
            found[_name(file)] = names
    return found


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(("resformer", *(part for part in parts if part != "__init__")))


def _modules(names: set[str]) -> set[str]:
    """The project's modules among imported names, which may be names in a module."""
    known = imports().keys()
    return {module for name in names for module in (name, name.rpartition(".")[0]) if module in known}


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_go_one_way(folder: str) -> None:
    wrong = [
        (module, imported)
        for module, names in imports().items()
        for imported in _modules(names)
        if module.split(".")[1:2] == [folder] and imported.split(".")[1] not in {folder, *ALLOWED[folder]}
    ]
    assert wrong == []


def test_networks_import_torch_alone() -> None:
    room = "resformer.model.networks"
    allowed = (room, "torch", "torchvision", "collections", "dataclasses", "math", "typing")
    wrong = [
        (module, name)
        for module, names in imports().items()
        for name in names
        if module.startswith(room) and not name.startswith(allowed)
    ]
    assert wrong == []


def test_the_model_has_few_import_levels() -> None:
    @cache
    def level(module: str) -> int:
        below = _modules(imports()[module]) - {module}
        return 1 + max((level(other) for other in below), default=0)

    deepest = max((m for m in imports() if m.startswith("resformer.model")), key=level)
    assert level(deepest) <= MAX_LEVELS, deepest


def test_a_file_name_is_used_once() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py") if file.name != "__init__.py"]
    repeated = {name for name, count in Counter(file.name for file in files).items() if count > 1}
    assert repeated == set()
