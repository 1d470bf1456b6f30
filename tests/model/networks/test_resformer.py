"""The Resformer with random weights: what its answers depend on, and that steps equal teacher forcing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from resformer.model.images.resize import letterbox
from resformer.model.inference.inputs import Sample
from resformer.model.networks.batch import Batch
from resformer.model.networks.encoder import PHOTO as PHOTO_STREAM
from resformer.model.networks.encoder import Memory
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.page import Page
from tests.model.conftest import NANO, PAGE, PHOTO, PREPROCESSOR, SCHEMA, TOKENIZER, text_line

CROWDED = Page([text_line(f"Pack {i} of 9, 2.5 kg x 12 cm", 10, 25 * i) for i in range(9)], 500, 300)


def assert_close(first: Tensor, second: Tensor) -> None:
    torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-4)


def batch_of(samples: Sequence[Sample], photos: Sequence[np.ndarray] = (PHOTO,)) -> Batch:
    pixels, extent = zip(*(letterbox(photo, NANO.image_size) for photo in photos), strict=True)
    return PREPROCESSOR.batch(samples, np.stack(pixels), extent)


def encoded(network: Resformer, batch: Batch) -> Memory:
    with torch.inference_mode():
        return network.encode(batch, network.image(batch.pixels))


def first_logits(network: Resformer, memory: Memory) -> Tensor:
    with torch.inference_mode():
        return network.answer(memory, network.decoder.init_cache(memory))


def own_logits(network: Resformer, batch: Batch, sample: int, name: str) -> Tensor:
    """Of the first step of one question: of the tokens, and of pointers to patches, words and the own candidates."""
    memory = encoded(network, batch)
    question = int((batch.prompts[sample] == TOKENIZER.prompt(SCHEMA[name])).nonzero())
    logits = first_logits(network, memory)[sample, question]
    may_point = memory.is_token[sample] & torch.isin(memory.question[sample], torch.tensor([PHOTO_STREAM, question]))
    may_point[memory.prompts] = False
    return torch.cat([logits[: network.num_answers], logits[network.num_answers :][may_point]])


@pytest.mark.parametrize("name", ["item_weight", "voltage", "category", "title"])
def test_an_answer_does_not_depend_on_what_else_is_asked_or_batched(network: Resformer, name: str) -> None:
    alone = batch_of([PREPROCESSOR.sample(PAGE, [SCHEMA[name]], title="Hair care")])
    other = PREPROCESSOR.sample(CROWDED, TOKENIZER.entities, description="more words " * 40, image_index=1)
    among = batch_of([other, PREPROCESSOR.sample(PAGE, TOKENIZER.entities, title="Hair care")], [PHOTO, PHOTO[:50]])
    assert_close(own_logits(network, alone, 0, name), own_logits(network, among, 1, name))


def test_the_photo_stream_does_not_see_the_questions(network: Resformer) -> None:
    streams = []
    for entities in ([SCHEMA["width"]], TOKENIZER.entities):
        memory = encoded(network, batch_of([PREPROCESSOR.sample(PAGE, entities)]))
        streams.append(memory.states[0, : memory.words.stop])
    assert_close(*streams)


def test_a_question_sees_the_photo_and_itself_alone() -> None:
    memory = Memory(
        states=torch.zeros(1, 5, 8),
        is_token=torch.tensor([[True, False, True, True, True]]),
        question=torch.tensor([[PHOTO_STREAM, PHOTO_STREAM, 0, 1, 1]]),
        words=slice(1, 2),
        prompts=slice(2, 4),
        candidates=slice(4, 5),
    )
    assert memory.mask(torch.tensor([[0, 1, PHOTO_STREAM]])).int().tolist() == [
        [[1, 0, 1, 0, 0], [1, 0, 0, 1, 1], [1, 0, 0, 0, 0]]
    ]


@pytest.mark.parametrize("changed", [{"title": "Dog food"}, {"assume_present": True}, {"has_image": False}])
def test_what_is_sent_changes_the_answer(network: Resformer, changed: dict[str, Any]) -> None:
    name = "item_weight"
    plain = own_logits(network, batch_of([PREPROCESSOR.sample(PAGE, [SCHEMA[name]])]), 0, name)
    other = own_logits(network, batch_of([PREPROCESSOR.sample(PAGE, [SCHEMA[name]], **changed)]), 0, name)
    tokens = slice(0, network.num_answers)
    assert not torch.allclose(plain[tokens], other[tokens], atol=1e-3)


def test_a_hidden_picture_changes_nothing(network: Resformer) -> None:
    sample = PREPROCESSOR.sample(PAGE, TOKENIZER.entities, has_image=False)
    logits = []
    for photo in (PHOTO, 255 - PHOTO):
        memory = encoded(network, batch_of([sample], [photo]))
        logits.append(first_logits(network, memory)[..., : network.num_answers])
    assert_close(*logits)


@pytest.mark.parametrize(("width", "covered"), [(96, 3), (65, 3), (64, 2), (33, 2), (32, 1), (1, 1)])
def test_the_padding_of_the_letterbox_is_no_patch(network: Resformer, width: int, covered: int) -> None:
    """A patch has 32 of the 96 pixels; the photo covers it from one of them on."""
    batch = batch_of([PREPROCESSOR.sample(PAGE, [SCHEMA["baseColour"]])], [np.zeros((96, width, 3), np.uint8)])
    assert encoded(network, batch).is_token[0, :9].view(3, 3).sum(dim=1).tolist() == [covered] * 3


@pytest.mark.parametrize("has_image", [True, False])
def test_words_and_picture_are_optional(network: Resformer, has_image: bool) -> None:
    sample = PREPROCESSOR.sample(Page([], 300, 400), TOKENIZER.entities, has_image=has_image)
    memory = encoded(network, batch_of([sample]))
    assert torch.isfinite(first_logits(network, memory)).all()


def test_steps_of_a_text_equal_teacher_forcing(network: Resformer) -> None:
    """Of two texts about one photo, with copied words among the subwords."""
    texts = [SCHEMA["title"], SCHEMA["description"]]
    memory = encoded(network, batch_of([PREPROCESSOR.sample(PAGE, texts)]))
    selected, questions = memory.select(torch.tensor([0, 0])), torch.tensor([0, 1])
    word = network.vocab_size + memory.words.start
    subword = TOKENIZER.subwords.start
    steps = torch.tensor(
        [[TOKENIZER.bos_id, word + 1, subword + 9, word], [TOKENIZER.bos_id, subword, word + 2, word + 3]]
    )
    with torch.inference_mode():
        at_once = network.write(steps, questions, selected, network.decoder.init_cache(selected))
        cache, each = network.decoder.init_cache(selected), []
        prompts = selected.states[torch.arange(2), memory.prompts.start + questions][:, None]
        for position in range(4):
            newest = steps[:, position : position + 1]
            each.append(network.step(newest, questions, torch.tensor([position]), prompts, selected, cache))
    assert_close(torch.cat(each, dim=1), at_once)
    assert at_once.shape == (2, 4, network.vocab_size + memory.states.shape[1])
    assert not torch.allclose(at_once[0, 0], at_once[1, 0], atol=1e-3)


def test_the_first_step_of_a_text_is_that_of_all_answers(network: Resformer) -> None:
    memory = encoded(network, batch_of([PREPROCESSOR.sample(PAGE, TOKENIZER.entities)]))
    question = TOKENIZER.entities.index(SCHEMA["title"])
    answers = first_logits(network, memory)[0, question]
    with torch.inference_mode():
        bos, cache = torch.tensor([[TOKENIZER.bos_id]]), network.decoder.init_cache(memory)
        written = network.write(bos, torch.tensor([question]), memory, cache)[0, 0]
    assert_close(answers[: network.num_answers], written[: network.num_answers])
    assert_close(answers[network.num_answers :], written[network.vocab_size :])


def test_a_value_differs_from_its_anagrams(network: Resformer) -> None:
    """Beside equal features: what is printed is told apart by its digits."""
    sample = PREPROCESSOR.sample(PAGE, [SCHEMA["item_weight"]])
    batch = batch_of([sample, sample])
    digits = batch.numbers[1, 0].clone()
    batch.numbers[1, 0, :2] = digits[:2].flip(0)
    assert not torch.equal(batch.numbers[0], batch.numbers[1])
    states = encoded(network, batch).states
    assert not torch.allclose(states[0], states[1], atol=1e-3)
