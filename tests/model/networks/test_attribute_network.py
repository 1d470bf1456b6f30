"""The attribute network with random weights: shapes, and what its logits depend on."""

import numpy as np
import pytest
import torch

from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_inputs import AttributeExample, collate_attributes, encode_words
from resformer.model.networks.attribute_network import AttributeBatch, AttributeNetwork
from resformer.model.networks.presets import PRESETS
from tests.model.attribute_setup import LABELS, NANO, PHOTO, SCHEMA, build_attribute_network

CHOICES = [e for e in SCHEMA.attributes if e.kind != "text"]


def first_logits(network: AttributeNetwork, batch: AttributeBatch) -> torch.Tensor:
    """(Q, vocab_size) of all questions."""
    with torch.inference_mode():
        memory = network.encode(batch)
        bos = torch.full((len(batch.prompt), 1), LABELS.bos_id)
        return network.decode(bos, memory, network.decoder.init_cache(memory))[:, 0]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_embeds_its_patches(name: str) -> None:
    sizes = PRESETS[name]
    with torch.device("meta"):
        patches = build_attribute_network(sizes).embed_image(torch.zeros(1, 3, sizes.image_size, sizes.image_size))
    assert patches.shape == (1, (sizes.image_size // sizes.stride) ** 2, sizes.attribute_width)


def test_an_answer_does_not_depend_on_what_else_is_asked_or_batched(attribute_network: AttributeNetwork) -> None:
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    other, other_extent = letterbox(PHOTO[:50], NANO.image_size)
    title = encode_words(LABELS, "Red Shoe", "")
    long = encode_words(LABELS, "", "many more words " * 20)
    alone = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, True, title, CHOICES[:1])])
    among = collate_attributes(
        LABELS,
        np.stack([other, pixels]),
        [other_extent, extent],
        [AttributeExample(0, True, long, CHOICES), AttributeExample(1, True, title, CHOICES)],
    )
    one, many = first_logits(attribute_network, alone)[0], first_logits(attribute_network, among)[len(CHOICES)]
    torch.testing.assert_close(one, many, atol=1e-4, rtol=1e-4)


def test_a_hidden_picture_changes_nothing(attribute_network: AttributeNetwork) -> None:
    answers = []
    for photo in (PHOTO, 255 - PHOTO):
        pixels, extent = letterbox(photo, NANO.image_size)
        words = encode_words(LABELS, "Red Shoe", "")
        batch = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, False, words, CHOICES)])
        answers.append(first_logits(attribute_network, batch))
    torch.testing.assert_close(*answers)


def test_steps_of_a_text_equal_one_pass(attribute_network: AttributeNetwork) -> None:
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    batch = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, True, [], [SCHEMA["title"]])])
    tokens = torch.tensor([[LABELS.bos_id, 9, 10, 11]])
    with torch.inference_mode():
        memory = attribute_network.encode(batch)
        at_once = attribute_network.decode(tokens, memory, attribute_network.decoder.init_cache(memory))
        cache = attribute_network.decoder.init_cache(memory)
        steps = [attribute_network.decode(tokens[:, i : i + 1], memory, cache) for i in range(4)]
    torch.testing.assert_close(torch.cat(steps, dim=1), at_once, atol=1e-4, rtol=1e-4)
