"""What several test modules build on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.schema.schema import Schema
from tests.exports import KeptExports
from tests.paths import ROOT

# Several tests run at once, and the networks are small: more threads mostly wait for each other, and spin meanwhile.
# For the programs that tests start; `one_thread` is for the tests themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Also after a test that has set more."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def kept_exports() -> Iterator[None]:
    """An export takes most of the two seconds in which a network is loaded, which tests do a hundred times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("resformer.model.runtime.onnx_module._export", KeptExports())
        yield


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the checkout, built by the command that users run."""
    path = tmp_path_factory.mktemp("archive") / "model_store" / "resformer.mar"
    command = [sys.executable, "-m", "resformer", "archive", "--out", str(path)]
    subprocess.run(command, cwd=ROOT, check=True)
    return path


@pytest.fixture
def own_network(tmp_path: Path) -> tuple[Path, Path]:
    """Weights without text detector and recognizer, and the schema that they were made for."""
    document = yaml.safe_load((ROOT / "model" / "entities.yaml").read_text())
    document["entities"] = [
        *(entry for entry in document["entities"] if entry["kind"] == "quantity"),
        {"name": "shelf", "kind": "path", "paths": "shop/shelves.txt"},
        {"name": "aisle", "kind": "choice", "labels_from": "shelf", "taxonomy": "shop/aisles.txt", "level": 1},
    ]
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shelves.txt").write_text("Food > Rice\nFood > Tea\nTools\n")
    (tmp_path / "shop" / "aisles.txt").write_text("Dry > Rice\nDrinks > Tea\n")
    schema = tmp_path / "own.yaml"
    schema.write_text(yaml.safe_dump(document))
    tokenizer = Tokenizer(Schema.load(schema))
    weights = tmp_path / "own.safetensors"
    save_checkpoint(weights, build_network(preset("nano"), tokenizer, ["resformer"]), tokenizer)
    return weights, schema
