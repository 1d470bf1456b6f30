"""Attribute networks that are carried over to another schema."""

from pathlib import Path

import pytest
import torch

from resformer.model.inference.checkpoint import build_network, save_checkpoint
from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import AttributeNetwork
from resformer.model.networks.bag_of_words import NUM_WEIGHTS
from resformer.model.networks.presets import preset
from resformer.model.schema.schema import Schema
from resformer.train.attributes.vocabulary_transfer import EntityRows, VocabularyMap, load_attributes
from tests.train.attributes.conftest import SMALL_SCHEMA

# `kind` is gone, `colour` has its labels in another order and one more, `size` is new, texts may be longer.
OTHER_SCHEMA = """
entities:
  - {name: voltage, kind: quantity, units: [volt]}
  - {name: size, kind: choice, labels: [small, large]}
  - {name: title, kind: text, max_subwords: 12}
  - {name: colour, kind: choice, labels: [blue, green, red]}
"""


def load_schema(folder: Path, text: str) -> tuple[Path, Tokenizer, LabelTokenizer]:
    file = folder / f"{len(text)}.yaml"
    file.write_text(text)
    schema = Schema.load(file)
    tokenizer = Tokenizer(schema)
    return file, tokenizer, LabelTokenizer(schema, tokenizer)


def make_network(tokenizer: Tokenizer) -> AttributeNetwork:
    network = build_network(preset("nano"), tokenizer, ("attributes",)).attributes
    assert network is not None
    return network


@pytest.fixture
def checkpoint(tmp_path: Path) -> tuple[Path, Path, AttributeNetwork]:
    """The weights of a random network for SMALL_SCHEMA, its schema, and the network."""
    schema, tokenizer, labels = load_schema(tmp_path, SMALL_SCHEMA)
    network = build_network(preset("nano"), tokenizer, ("attributes",))
    part = network.attributes
    assert part is not None
    part.log_prior.copy_(torch.arange(labels.vocab_size))
    part.member_weights.copy_(torch.rand(part.member_weights.shape))
    part.bag_of_words.idf.fill_(1)
    part.bag_of_words.index.copy_(torch.arange(NUM_WEIGHTS))
    part.bag_of_words.weight.copy_(torch.rand(NUM_WEIGHTS))
    save_checkpoint(tmp_path / "old.safetensors", network, tokenizer, temperature=1.0)
    return tmp_path / "old.safetensors", schema, part


def test_entities_are_matched_by_name_and_labels_by_text(tmp_path: Path) -> None:
    old, new = (load_schema(tmp_path, text)[2] for text in (SMALL_SCHEMA, OTHER_SCHEMA))
    vocabulary = VocabularyMap.between(old, new)
    assert [entity.name for entity in vocabulary.entities] == ["title", "colour"]
    old_colour, new_colour = old.entities[1], new.entities[2]
    pairs = dict(zip(vocabulary.new_tokens.tolist(), vocabulary.old_tokens.tolist(), strict=True))
    red, blue = old.labels(old_colour)
    assert [pairs.get(token) for token in new.labels(new_colour)] == [blue, None, red]
    assert pairs[new.prompt(new_colour)] == old.prompt(old_colour)
    assert vocabulary.added_labels == [new.labels(new_colour)[1]]
    assert all(pairs[token] == token for token in new.subwords)


def test_rows_of_shared_entities_are_copied(tmp_path: Path, checkpoint: tuple[Path, Path, AttributeNetwork]) -> None:
    weights, old_schema, before = checkpoint
    old = load_schema(tmp_path, SMALL_SCHEMA)[2]
    _, tokenizer, new = load_schema(tmp_path, OTHER_SCHEMA)
    network = make_network(tokenizer)
    load_attributes(network, "nano", tokenizer, weights, old_schema)
    old_colour, new_colour = old.entities[1], new.entities[2]
    (red, blue), (new_blue, new_green, new_red) = old.labels(old_colour), new.labels(new_colour)
    embeddings = network.decoder.embedding.weight[[new_red, new_blue, new.prompt(new_colour)]]
    expected = before.decoder.embedding.weight[[red, blue, old.prompt(old_colour)]]
    torch.testing.assert_close(embeddings, expected, atol=1e-3, rtol=1e-3)  # stored in half precision
    assert network.log_prior[[new_red, new_blue]].tolist() == [red, blue]
    assert network.log_prior[new_green] == -20
    assert torch.equal(network.member_weights[2], before.member_weights[1])
    assert torch.equal(network.patch_norm.weight, before.patch_norm.weight)
    torch.testing.assert_close(
        network.decoder.position.weight[:8], before.decoder.position.weight[:8], atol=1e-3, rtol=0
    )
    buckets = torch.tensor([0, 5])
    logits, expected = network.bag_of_words(buckets), before.bag_of_words(buckets)
    torch.testing.assert_close(logits[[new_red, new_blue]], expected[[red, blue]])
    assert not logits[list(new.labels(new.entities[0]))].any()


def test_rows_are_restored_after_training(tmp_path: Path) -> None:
    _, tokenizer, labels = load_schema(tmp_path, SMALL_SCHEMA)
    network = make_network(tokenizer)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rows = EntityRows(network, labels, labels.entities[1])
    with torch.no_grad():
        for name in ("decoder.embedding.weight", "decoder.bias", "log_prior", "member_weights"):
            network.state_dict()[name].add_(1)
    rows.restore(network)
    tokens = [labels.prompt(labels.entities[1]), *labels.labels(labels.entities[1])]
    assert torch.equal(network.decoder.embedding.weight[tokens], state["decoder.embedding.weight"][tokens])
    assert torch.equal(network.log_prior[tokens], state["log_prior"][tokens])
    assert torch.equal(network.member_weights[1], state["member_weights"][1])
    assert (network.member_weights[0] == state["member_weights"][0] + 1).all()


def test_the_schema_of_the_weights_must_be_known(
    tmp_path: Path, checkpoint: tuple[Path, Path, AttributeNetwork]
) -> None:
    weights, _, _ = checkpoint
    other, tokenizer, _ = load_schema(tmp_path, OTHER_SCHEMA)
    for schema in (None, other):
        with pytest.raises(ValueError, match="name its schema by init_schema"):
            load_attributes(make_network(tokenizer), "nano", tokenizer, weights, schema)
    with pytest.raises(ValueError, match="is of preset nano, not small"):
        load_attributes(make_network(tokenizer), "small", tokenizer, weights, None)
