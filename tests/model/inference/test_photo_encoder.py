"""The exported encoder gives what torch gives, whatever the sizes."""

import numpy as np
import pytest
import torch

from resformer.model.images.resize import letterbox
from resformer.model.inference.inputs import Sample
from resformer.model.inference.photo_encoder import PhotoEncoder
from resformer.model.networks.batch import Batch
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.page import Page
from tests.model.conftest import NANO, PAGE, PHOTO, PREPROCESSOR, SCHEMA, TOKENIZER

NO_PAGE = Page([], 300, 400)
EVERYTHING = PREPROCESSOR.sample(PAGE, TOKENIZER.entities, title="Shampoo 250 ml", description="for dry hair " * 20)


def batch_of(sample: Sample) -> Batch:
    pixels, extent = letterbox(PHOTO, NANO.image_size)
    return PREPROCESSOR.batch([sample], pixels[None], [extent])


@pytest.fixture(scope="module")
def encode(network: Resformer) -> PhotoEncoder:
    return PhotoEncoder(network, batch_of(EVERYTHING), NANO.image_size, "cpu", 1)


@pytest.mark.parametrize(
    "sample",
    [
        EVERYTHING,
        PREPROCESSOR.sample(PAGE, [SCHEMA["item_weight"]], assume_present=True),
        PREPROCESSOR.sample(NO_PAGE, [SCHEMA["gender"], SCHEMA["width"]]),
        PREPROCESSOR.sample(PAGE, [SCHEMA["title"]], has_image=False),
        PREPROCESSOR.sample(NO_PAGE, [SCHEMA["voltage"]], has_image=False),
    ],
    ids=["everything", "one question", "no words", "no picture", "neither"],
)
def test_export_equals_torch(network: Resformer, encode: PhotoEncoder, sample: Sample) -> None:
    batch = batch_of(sample)
    photo = encode(batch)
    with torch.inference_mode():
        memory = network.encode(batch, network.image(batch.pixels))
        logits = network.answer(memory, network.decoder.init_cache(memory))[0]
    np.testing.assert_allclose(photo.logits, logits.numpy(), atol=1e-3)
    is_token = memory.is_token[0].numpy()
    np.testing.assert_allclose(photo.states[0][is_token], memory.states[0].numpy()[is_token], atol=1e-3)
    first = (photo.first_word, photo.first_prompt, photo.first_candidate)
    assert first == (memory.words.start, memory.prompts.start, memory.candidates.start)
