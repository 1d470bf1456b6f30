"""The exported encoder gives what torch gives, whatever the sizes."""

from dataclasses import replace

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


SAMPLES = [
    EVERYTHING,
    PREPROCESSOR.sample(PAGE, [SCHEMA["item_weight"]], assume_present=True),
    PREPROCESSOR.sample(NO_PAGE, [SCHEMA["gender"], SCHEMA["width"]]),
    PREPROCESSOR.sample(PAGE, [SCHEMA["title"]], has_image=False),
    PREPROCESSOR.sample(NO_PAGE, [SCHEMA["voltage"]], has_image=False),
]


@pytest.mark.parametrize(
    "sample",
    SAMPLES,
    ids=["everything", "one question", "no words", "no picture", "neither"],
)
def test_export_equals_torch(network: Resformer, encode: PhotoEncoder, sample: Sample) -> None:
    batch = batch_of(sample)
    (photo,) = encode(batch)
    with torch.inference_mode():
        memory = network.encode(batch, network.image(batch.pixels))
        logits = network.answer(memory, network.decoder.init_cache(memory))[0]
    np.testing.assert_allclose(photo.logits, logits.numpy(), atol=1e-3)
    is_token = memory.is_token[0].numpy()
    np.testing.assert_allclose(photo.states[0][is_token], memory.states[0].numpy()[is_token], atol=1e-3)
    first = (photo.first_word, photo.first_prompt, photo.first_candidate)
    assert first == (memory.words.start, memory.prompts.start, memory.candidates.start)


def test_photos_are_encoded_in_batches_as_alone(network: Resformer, encode: PhotoEncoder) -> None:
    pictures = [letterbox(PHOTO[: 120 - 20 * i], NANO.image_size) for i in range(len(SAMPLES))]
    together = PREPROCESSOR.batch(
        [replace(sample, image_index=i) for i, sample in enumerate(SAMPLES)],
        np.stack([pixels for pixels, _ in pictures]),
        [extent for _, extent in pictures],
    )
    example = PREPROCESSOR.batch([replace(EVERYTHING, image_index=i) for i in range(2)])
    batched = PhotoEncoder(network, example, NANO.image_size, "cpu", 1)(together)
    for photo, sample, (pixels, extent) in zip(batched, SAMPLES, pictures, strict=True):
        (alone,) = encode(PREPROCESSOR.batch([sample], pixels[None], [extent]))
        shared, questions = alone.first_word + len(sample.words), len(sample.entities)
        np.testing.assert_allclose(photo.states[:, :shared], alone.states[:, :shared], atol=1e-3)
        answers = TOKENIZER.num_answers + alone.first_word
        np.testing.assert_allclose(photo.logits[:questions, :answers], alone.logits[:questions, :answers], atol=1e-3)
        candidates = np.arange(len(sample.units)) + TOKENIZER.num_answers
        np.testing.assert_allclose(
            photo.logits[:questions, photo.first_candidate + candidates],
            alone.logits[:questions, alone.first_candidate + candidates],
            atol=1e-3,
        )
        np.testing.assert_allclose(photo.label_logits, alone.label_logits, atol=1e-3)
        np.testing.assert_allclose(photo.picture_features, alone.picture_features, atol=1e-4)
