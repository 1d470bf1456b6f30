"""Weights are safetensors alone, those that the model card names, and nothing in the project loads a pickle."""

import ast
import re

import pytest

from resformer.model.files.whole_file import file_digest
from tests.paths import ROOT

FOLDERS = ("model", "handler", "train", "scripts", "client", "resformer")
WEIGHTS = ROOT / "model" / "weights"
PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
UNSAFE_CALLS = {"read_pickle", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}
LOADED_BY_TORCH = {"train/engine/training_state.py", "train/network/pretrained_networks.py"}


def test_the_model_card_has_the_hashes_of_the_files() -> None:
    card = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([\w.]+)` \| [^|]* \| `([0-9a-f]{64})` \|$", card, re.MULTILINE))
    files = [path for path in WEIGHTS.iterdir() if path.name != "README.md"]
    assert {path.suffix for path in files} == {".safetensors"}
    assert listed == {path.name: file_digest(path) for path in files}


def _unsafe(tree: ast.AST) -> list[str]:
    """What could run code that is in a file of data."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in PICKLING]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PICKLING:
            found.append(str(node.module))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, name = ast.unparse(node.func.value), node.func.attr
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name in UNSAFE_CALLS or keywords.get("allow_pickle", "False") != "False":
                found.append(ast.unparse(node))
            if owner == "torch" and name == "load" and keywords.get("weights_only") != "True":
                found.append(ast.unparse(node))
            if owner == "yaml" and name in ("load", "load_all"):
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_loads_pickles(folder: str) -> None:
    paths = [path for path in (ROOT / folder).rglob("*.py") if not path.is_symlink()]
    assert paths
    unsafe = {str(path.relative_to(ROOT)): _unsafe(ast.parse(path.read_text(encoding="utf-8"))) for path in paths}
    assert {path: calls for path, calls in unsafe.items() if calls} == {}


def test_torch_loads_checkpoints_of_training_alone() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    using = {str(path.resolve().relative_to(ROOT)) for path in paths if "torch.load(" in path.read_text("utf-8")}
    assert using == LOADED_BY_TORCH


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "numpy.load(path, allow_pickle=True)",
        "pandas.read_pickle(path)",
        "yaml.load(text, Loader=yaml.Loader)",
    ],
)
def test_what_would_be_found(code: str) -> None:
    assert _unsafe(ast.parse(code))


def test_what_is_safe() -> None:
    safe = "torch.load(path, weights_only=True)\nnumpy.load(path)\nyaml.safe_load(text)\njson.load(file)"
    assert _unsafe(ast.parse(safe)) == []
