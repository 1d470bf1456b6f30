"""Greedy generation of texts, with random weights."""

import numpy as np
import pytest
import torch

from resformer.model.images.resize import letterbox
from resformer.model.inference.attribute_inputs import AttributeExample, collate_attributes
from resformer.model.inference.attribute_predictor import AttributePredictor
from resformer.model.inference.generation import GreedyGenerator
from resformer.model.networks.attribute_network import AttributeNetwork
from tests.model.attribute_setup import LABELS, NANO, PHOTO, SCHEMA


def test_a_text_ends_at_its_limit(attribute_network: AttributeNetwork) -> None:
    (dress,) = LABELS.encode(" dress")
    texts = [SCHEMA["title"], SCHEMA["description"]]
    try:
        attribute_network.decoder.bias.data[dress] = 50.0
        answers = AttributePredictor(attribute_network, LABELS, NANO.image_size, "cpu", 1)(PHOTO, texts)
        for entity in texts:
            assert answers[entity.name].text.split() == ["dress"] * entity.max_subwords
        attribute_network.decoder.bias.data[LABELS.eos_id] = 100.0
        assert (
            AttributePredictor(attribute_network, LABELS, NANO.image_size, "cpu", 1)(PHOTO, texts)["title"].text == ""
        )
    finally:
        attribute_network.decoder.bias.data.zero_()


def test_texts_take_the_likeliest_token_each_time(attribute_network: AttributeNetwork) -> None:
    """As the decoder does without a cache, for two texts that are generated in one batch."""
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    texts = [SCHEMA["title"], SCHEMA["description"]]
    batch = collate_attributes(LABELS, pixels[None], [extent], [AttributeExample(0, True, [], texts)])
    with torch.inference_mode():
        memory = attribute_network.encode(batch)
        generated = GreedyGenerator(attribute_network.decoder, LABELS, "cpu", 1)(memory, [5, 9])
        for question, (limit, (text, probability)) in enumerate(zip([5, 9], generated, strict=True)):
            selected, tokens = memory.select(torch.tensor([question])), [LABELS.bos_id]
            log_probabilities: list[float] = []
            while len(log_probabilities) <= limit:
                logits = attribute_network.decode(
                    torch.tensor([tokens]), selected, attribute_network.decoder.init_cache(selected)
                )[0, -1]
                allowed = [LABELS.eos_id, *LABELS.subwords]
                likeliest, index = logits[allowed].log_softmax(dim=0).max(dim=0)
                log_probabilities.append(float(likeliest))
                tokens.append(allowed[index])
                if tokens[-1] == LABELS.eos_id:
                    break
            assert text == LABELS.decode(tokens[1 : limit + 1]).strip()
            assert probability == pytest.approx(np.exp(np.mean(log_probabilities)), rel=1e-3)
