"""Files of weights: what is in them, which parts they may lack, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from resformer.model.inference.checkpoint import (
    build_network,
    load_checkpoint,
    parts_of,
    read_checkpoint,
    save_checkpoint,
)
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.parts import PARTS, Parts
from resformer.model.schema.schema import SCHEMA_FILE, Schema
from tests.model.conftest import NANO, TOKENIZER


def test_what_is_saved_is_loaded(tmp_path: Path, nano: Parts) -> None:
    """Matrices in half precision."""
    file = tmp_path / "w.safetensors"
    save_checkpoint(file, nano, TOKENIZER, version="shop-2")
    loaded = load_checkpoint(file, TOKENIZER)
    assert (loaded.metadata["preset"], loaded.metadata["version"]) == ("nano", "shop-2")
    assert not loaded.network.training
    for name, tensor in nano.state_dict().items():
        found = loaded.network.state_dict()[name]
        assert found.dtype == tensor.dtype
        torch.testing.assert_close(found, tensor, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("parts", [("text_detector",), ("text_detector", "text_recognizer"), PARTS])
def test_a_file_may_lack_parts(tmp_path: Path, parts: tuple[str, ...]) -> None:
    file = tmp_path / "w.safetensors"
    save_checkpoint(file, build_network(NANO, TOKENIZER, parts), TOKENIZER)
    network = load_checkpoint(file, TOKENIZER).network
    assert parts_of(read_checkpoint(file)[0].keys()) == parts
    assert tuple(part for part in PARTS if getattr(network, part) is not None) == parts


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n  - {name: runtime_power, kind: quantity, units: [watt]}\n",
        lambda text: text.replace("labels: [Boys, Girls,", "labels: [Girls, Boys,"),
        lambda text: text.replace("max_subwords: 32", "max_subwords: 33"),
    ],
)
def test_weights_of_another_schema_are_refused(tmp_path: Path, nano: Parts, change: Callable[[str], str]) -> None:
    file, schema = tmp_path / "w.safetensors", tmp_path / "entities.yaml"
    save_checkpoint(file, nano, TOKENIZER)
    shipped = SCHEMA_FILE.read_text().replace("taxonomies/", f"{SCHEMA_FILE.parent}/taxonomies/")
    assert change(shipped) != shipped
    schema.write_text(change(shipped))
    with pytest.raises(ValueError, match=r"other entities, units or labels.*name the schema that it was trained for"):
        load_checkpoint(file, Tokenizer(Schema.load(schema)))


def test_files_that_are_no_weights_say_what_makes_them(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    with pytest.raises(FileNotFoundError, match=r"no weights at .*; `resformer train` makes them"):
        load_checkpoint(file, TOKENIZER)
    file.write_text("no weights")
    with pytest.raises(ValueError, match="is not a file of weights"):
        load_checkpoint(file, TOKENIZER)
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match="does not say its preset, schema; train it again"):
        load_checkpoint(file, TOKENIZER)


def test_weights_of_other_code_are_refused(tmp_path: Path, nano: Parts) -> None:
    file = tmp_path / "w.safetensors"
    save_checkpoint(file, nano, TOKENIZER)
    tensors, metadata = read_checkpoint(file)
    name = "resformer.embedding.weight"
    for changed in (
        {**tensors, name: tensors[name][:-1]},
        {key: tensor for key, tensor in tensors.items() if key != name},
        {**tensors, "resformer.gate": torch.zeros(1)},
    ):
        save_file(changed, file, metadata=metadata)
        with pytest.raises(ValueError, match="was made by other code; train it again"):
            load_checkpoint(file, TOKENIZER)
