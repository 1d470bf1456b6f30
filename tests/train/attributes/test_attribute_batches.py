"""Batches of questions about products."""

import torch

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import TEXT_FIELDS
from resformer.model.schema.schema import Schema
from resformer.train.attributes.attribute_batches import AttributeBatches
from resformer.train.attributes.labelled_products import read_products
from tests.train.attributes.conftest import ConfigFactory

SCHEMA = Schema.load()
TOKENIZER = LabelTokenizer(SCHEMA, Tokenizer(SCHEMA))


def make_batches(make_config: ConfigFactory, **changes: object) -> AttributeBatches:
    config = make_config(p_text=1.0, p_drop_field=0.0, p_drop_word=0.0, **changes)
    return AttributeBatches(read_products(config.sources[0], SCHEMA), TOKENIZER, config, 0)


def test_batches_depend_on_their_index_alone(make_config: ConfigFactory) -> None:
    batches = make_batches(make_config)
    assert len(batches) == 6
    inputs, targets = batches[2]
    again, _ = make_batches(make_config)[2]
    assert all(torch.equal(a, b) for a, b in zip(vars(inputs).values(), vars(again).values(), strict=True))
    assert len(targets.classified) + len(targets.generated) == len(inputs.prompt)
    assert targets.tokens.shape == targets.next_tokens.shape
    assert (targets.tokens[:, 0] == TOKENIZER.bos_id).all()


def test_a_text_is_not_asked_for_where_it_is_visible(make_config: ConfigFactory) -> None:
    inputs, _ = make_batches(make_config)[2]
    titles = inputs.sample_index[inputs.prompt == TOKENIZER.prompt(SCHEMA["title"])]
    assert not inputs.word_mask[titles].any()
    # The description is asked for from the picture alone and beside the title, of four words.
    descriptions = inputs.sample_index[inputs.prompt == TOKENIZER.prompt(SCHEMA["description"])]
    assert {int(count) for count in inputs.word_mask[descriptions].sum(dim=1)} == {0, 4}
    assert set(inputs.field_index[inputs.word_mask].tolist()) == {TEXT_FIELDS.index("title")}


def test_cached_patches_keep_the_number_of_batches(make_config: ConfigFactory) -> None:
    batches = make_batches(make_config, cached_views=2, init_attributes_from=__file__)
    assert len(batches) == 6
    indices = torch.cat([batches[i][1].product_index for i in range(6)])
    assert sorted(indices.tolist()) == list(range(96))
