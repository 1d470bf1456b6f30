"""From text lines, the caller's text and questions to samples and batches."""

import numpy as np
import pytest
import torch

from resformer.model.inference.inputs import MAX_PRINTED_WORDS, MAX_SENT_WORDS, Sample
from resformer.model.networks.batch import DESCRIPTION, PRINTED, TITLE
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from tests.model.conftest import PAGE, PREPROCESSOR, SCHEMA, TOKENIZER, text_line

WEIGHT = SCHEMA["item_weight"]
NO_PAGE = Page([], 300, 400)


def quantities(sample: Sample, question: int = 0) -> list[str]:
    return [str(candidate.quantity) for candidate in sample.candidates[question]]


def test_printed_words_keep_their_spelling_and_their_part_of_the_line() -> None:
    words = PREPROCESSOR.sample(Page([text_line("Net Wt 500 g", 10, 20)], 300, 400), [WEIGHT]).words
    assert [word.text for word in words] == ["Net", "Wt", "500", "g"]
    assert {word.field for word in words} == {PRINTED}
    assert words[0].box == pytest.approx((10, 20, 35, 40))
    assert words[-1].box == pytest.approx((10 + 1100 / 12, 20, 110, 40))


def test_words_of_a_vertical_line_lie_below_each_other() -> None:
    line = TextLine(((10, 20), (30, 20), (30, 120), (10, 120)), "Net Wt", 0.9)
    first, second = (word.box for word in PREPROCESSOR.sample(Page([line], 300, 400), [WEIGHT]).words)
    assert first is not None and second is not None
    assert first[3] < second[1] and first[0] == second[0]


def test_words_of_an_upside_down_line_begin_at_its_right() -> None:
    line = TextLine(((110, 40), (10, 40), (10, 20), (110, 20)), "Net Weight", 0.9)
    first, second = (word.box for word in PREPROCESSOR.sample(Page([line], 300, 400), [WEIGHT]).words)
    assert first == pytest.approx((80, 20, 110, 40)) and second == pytest.approx((10, 20, 70, 40))


def test_a_crowded_photo_keeps_its_largest_words_and_those_with_digits() -> None:
    small = [TextLine(((0, i), (90, i), (90, i + 5), (0, i + 5)), "small words", 0.9) for i in range(100)]
    numbers = TextLine(((0, 150), (90, 150), (90, 155), (0, 155)), "12 kg", 0.9)
    words = PREPROCESSOR.sample(Page([*small, numbers, text_line("LARGE", 0, 160)], 300, 400), [WEIGHT]).words
    assert len(words) == MAX_PRINTED_WORDS
    assert [word.text for word in words[-3:]] == ["12", "kg", "LARGE"]


def test_sent_words_have_their_field_and_are_bounded() -> None:
    sample = PREPROCESSOR.sample(NO_PAGE, [WEIGHT], title="Red Shoe", description="a " * 500)
    fields = [(word.field, word.position) for word in sample.words]
    assert fields[:3] == [(TITLE, 0), (TITLE, 1), (DESCRIPTION, 0)]
    assert len(fields) == 2 + MAX_SENT_WORDS[DESCRIPTION]
    assert all(word.box is None and not any(word.box_features) for word in sample.words)
    # Case counts for what is copied, not for what is understood.
    assert TOKENIZER.decode([t for t in sample.subwords[0].tolist() if t]) == "red"
    assert sample.words[0].text == "Red"


def test_candidates_are_of_the_question_and_from_photo_and_text() -> None:
    sample = PREPROCESSOR.sample(PAGE, [WEIGHT, SCHEMA["voltage"], SCHEMA["gender"]], title="12 V, 3 kg")
    assert {"500 gram", "17.6 ounce", "20 kilogram", "3 kilogram"} <= set(quantities(sample))
    assert quantities(sample, 1) == ["12 volt"]
    assert quantities(sample, 2) == []
    assert sample.candidate_question.tolist() == [0] * len(sample.candidates[0]) + [1]
    assert len(sample.features) == len(sample.units) == len(sample.candidate_boxes) == len(sample.candidate_question)


def test_lines_of_the_callers_text_are_not_joined() -> None:
    for title, description in (("Nike Air 12", "V-neck shirt"), ("Nike Air 12\nV-neck shirt", "")):
        sample = PREPROCESSOR.sample(NO_PAGE, [SCHEMA["voltage"]], title=title, description=description)
        assert quantities(sample) == []


def test_a_batch_pads_what_is_shorter() -> None:
    samples = [
        PREPROCESSOR.sample(PAGE, TOKENIZER.entities, assume_present=True),
        PREPROCESSOR.sample(NO_PAGE, [WEIGHT], title="Shoe"),
    ]
    batch = PREPROCESSOR.batch(samples)
    assert batch.word_mask.sum(dim=1).tolist() == [len(samples[0].words), 1]
    assert batch.prompt_mask.sum(dim=1).tolist() == [len(TOKENIZER.entities), 1]
    assert batch.candidate_mask.sum(dim=1).tolist() == [len(samples[0].units), 0]
    assert batch.prompts[1, 1:].eq(TOKENIZER.pad_id).all() and batch.words[1, 1:].eq(TOKENIZER.pad_id).all()
    assert batch.assume_present[0].tolist() == [1.0] * len(TOKENIZER.entities) and not batch.assume_present[1].any()
    assert batch.pixels.numel() == 0 and batch.extent.tolist() == [[1.0, 1.0]]


def test_a_sample_without_picture_and_words_has_one_empty_word() -> None:
    batch = PREPROCESSOR.batch([PREPROCESSOR.sample(NO_PAGE, [WEIGHT], has_image=False)])
    assert batch.word_mask.tolist() == [[True]] and not batch.words.any()


def test_samples_of_one_photo_share_its_picture() -> None:
    samples = [PREPROCESSOR.sample(NO_PAGE, [WEIGHT], image_index=i) for i in (1, 0, 1)]
    batch = PREPROCESSOR.batch(samples, np.zeros((2, 3, 96, 96), dtype=np.uint8), torch.ones(2, 2))
    assert batch.image_index.tolist() == [1, 0, 1] and len(batch.pixels) == 2
