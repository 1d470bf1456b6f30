"""Networks that continue under another schema."""

from pathlib import Path

import pytest
import torch

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.resformer import Resformer
from resformer.model.schema.schema import Schema
from resformer.train.network.vocabulary_transfer import transfer_network

# `kind` is gone, `colour` has its labels in another order and one more, `size` and `speed` are new, and texts may be
# longer.
OTHER_SCHEMA = """
units:
  - {name: knot, dimension: speed, si_unit: metre per second, factor: 0.514444, aliases: [kn, knot]}
entities:
  - {name: voltage, kind: quantity, units: [volt]}
  - {name: speed, kind: quantity, units: [knot]}
  - {name: size, kind: choice, labels: [small, large]}
  - {name: title, kind: text, max_subwords: 12}
  - {name: colour, kind: choice, labels: [Green, Pink, Blue, Red]}
"""


def make_network(schema_file: Path) -> tuple[Resformer, Tokenizer]:
    tokenizer = Tokenizer(Schema.load(schema_file))
    network = build_network(preset("nano"), tokenizer, ("resformer",)).resformer
    assert network is not None
    return network, tokenizer


@pytest.fixture
def other_schema(tmp_path: Path) -> Path:
    (tmp_path / "other.yaml").write_text(OTHER_SCHEMA)
    return tmp_path / "other.yaml"


@pytest.fixture
def checkpoint(tmp_path: Path, small_schema: Path) -> tuple[Path, Resformer, Tokenizer]:
    """Weights of a random network for SMALL_SCHEMA, with a log prior that counts up."""
    tokenizer = Tokenizer(Schema.load(small_schema))
    network = build_network(preset("nano"), tokenizer, ("resformer",))
    assert network.resformer is not None
    network.resformer.log_prior.copy_(torch.arange(tokenizer.num_answers))
    torch.nn.init.normal_(network.resformer.decoder.bias)
    save_checkpoint(tmp_path / "old.safetensors", network, tokenizer)
    return tmp_path / "old.safetensors", network.resformer, tokenizer


def test_rows_of_shared_tokens_are_copied_by_name(
    checkpoint: tuple[Path, Resformer, Tokenizer], small_schema: Path, other_schema: Path
) -> None:
    weights, before, old = checkpoint
    network, new = make_network(other_schema)
    random_rows = network.embedding.weight.detach().clone()
    transfer = transfer_network(network, new, "nano", weights, small_schema)
    assert [entity.name for entity in transfer.entities] == ["voltage", "title", "colour"]

    old_colour, new_colour, size = old.schema["colour"], new.schema["colour"], new.schema["size"]
    empty, blue, green, red = old.answers(old_colour)
    pairs = dict(zip(new.answers(new_colour), (empty, green, None, blue, red), strict=True))
    pairs |= {new.prompt(e): old.prompt(old.schema[e.name]) for e in transfer.entities}
    pairs |= {new.unit("volt"): old.unit("volt"), new.eos_id: old.eos_id, new.subwords[-1]: old.subwords[-1]}
    pairs |= {new.unit("knot"): None, new.prompt(size): None, new.answers(size)[1]: None}
    for token, same in pairs.items():
        assert transfer.known[token] == (same is not None)
        expected = random_rows[token] if same is None else before.embedding.weight[same]
        torch.testing.assert_close(network.embedding.weight[token], expected, atol=2e-3, rtol=2e-3)  # in fp16
        assert network.decoder.bias[token] == (0 if same is None else before.decoder.bias[same])
        if same is not None and token < new.num_answers:
            assert network.log_prior[token] == same
    pink = new.answers(new_colour)[2]
    assert network.log_prior[pink] == -20  # never the answer before a product shows it
    torch.testing.assert_close(
        network.decoder.position.weight[:9], before.decoder.position.weight[:9], atol=1e-3, rtol=2e-3
    )
    assert torch.equal(network.patch_norm.weight, before.patch_norm.weight)
    new_rows = {name: rows.nonzero().flatten().tolist() for name, rows in transfer.new_rows.items()}
    unknown = [token for token in range(new.vocab_size) if not transfer.known[token]]
    assert new_rows == {
        "embedding.weight": unknown,
        "decoder.bias": unknown,
        "decoder.position.weight": [9, 10, 11, 12],
    }
    # The prompts of speed and size, a unit, three answers of size, the empty answer of speed, and a colour.
    assert len(unknown) == 8


def test_the_same_schema_leaves_nothing_new(checkpoint: tuple[Path, Resformer, Tokenizer], small_schema: Path) -> None:
    weights, before, _ = checkpoint
    network, tokenizer = make_network(small_schema)
    transfer = transfer_network(network, tokenizer, "nano", weights, None)
    assert transfer.new_rows == {} and transfer.known.all()
    assert torch.equal(network.log_prior, before.log_prior)


def test_what_does_not_fit_is_refused(
    checkpoint: tuple[Path, Resformer, Tokenizer], other_schema: Path, tmp_path: Path
) -> None:
    weights, _, old = checkpoint
    network, tokenizer = make_network(other_schema)
    for schema in (None, other_schema):
        with pytest.raises(ValueError, match="name its schema by init_schema"):
            transfer_network(network, tokenizer, "nano", weights, schema)
    with pytest.raises(ValueError, match="is of preset nano, not small"):
        transfer_network(network, tokenizer, "small", weights, None)
    save_checkpoint(tmp_path / "reader", build_network(preset("nano"), old, ("text_detector",)), old)
    with pytest.raises(ValueError, match="has no Resformer"):
        transfer_network(network, tokenizer, "nano", tmp_path / "reader", None)
