"""Batches of line crops and their texts."""

from typing import Any

import numpy as np
import pytest
import torch

from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH, RecognitionNetwork
from resformer.model.ocr.charset import CHARSET
from resformer.model.ocr.ctc import BLANK
from resformer.model.schema.schema import Schema
from resformer.train.ocr.ocr_records import read_ocr_sources
from resformer.train.ocr.recognition.labelled_lines import LabelledLine, read_labelled_lines
from resformer.train.ocr.recognition.recognition_batches import (
    BUCKETS,
    RecognitionBatches,
    collate_crops,
    max_crop_width,
)
from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.line_renderer import LineRenderer
from resformer.train.ocr.synthetic.text_generator import TextGenerator
from resformer.train.settings.sources import OcrSource


@pytest.fixture
def lines(source: OcrSource) -> list[LabelledLine]:
    return read_labelled_lines(read_ocr_sources([source]))


@pytest.fixture
def renderer(fonts: Fonts) -> LineRenderer:
    return LineRenderer(TextGenerator(Schema.load()), CROP_HEIGHT)


def batches(lines: list[LabelledLine], renderer: LineRenderer | None, **changes: Any) -> RecognitionBatches:
    settings = {"p_drawn": 0.4, "p_repainted": 0.3, "num_batches": 6, "batch_size": 8, "seed": 0, "epoch": 1}
    return RecognitionBatches(lines, renderer, **{**settings, **changes})


def test_batches_hold_crops_and_their_texts(lines: list[LabelledLine], renderer: LineRenderer) -> None:
    dataset = batches(lines, renderer)
    assert len(dataset) == 6
    for index in range(len(dataset)):
        crops, widths, classes, lengths = dataset[index]
        assert crops.dtype == torch.uint8 and crops.shape[1:3] == (3, CROP_HEIGHT)
        assert crops.shape[-1] == widths.max() * STEP_WIDTH <= max_crop_width(BUCKETS[-1]) + STEP_WIDTH
        assert (widths >= lengths).all() and (lengths > 0).all()
        assert ((classes != BLANK).sum(dim=1) == lengths).all()


def test_batches_depend_on_seed_epoch_and_index(lines: list[LabelledLine], renderer: LineRenderer) -> None:
    first = batches(lines, renderer)[0][0]
    assert torch.equal(first, batches(lines, renderer)[0][0])
    for other in (batches(lines, renderer)[1][0], batches(lines, renderer, epoch=2)[0][0]):
        assert first.shape != other.shape or not torch.equal(first, other)


def test_photos_alone_need_no_fonts(lines: list[LabelledLine]) -> None:
    texts = {line.text for line in lines}
    _, _, classes, lengths = batches(lines, None, p_drawn=0.0, p_repainted=0.0)[0]
    for row, length in zip(classes.tolist(), lengths.tolist(), strict=True):
        assert "".join(CHARSET[i] for i in row[:length]) in texts


def test_padding_repeats_the_last_column() -> None:
    samples = [(np.full((CROP_HEIGHT, 10, 3), 7, np.uint8), "5"), (np.zeros((CROP_HEIGHT, 20, 3), np.uint8), "12")]
    crops, widths, classes, lengths = collate_crops(samples)
    assert crops.shape == (2, 3, CROP_HEIGHT, 20)
    assert (crops[0] == 7).all()
    assert widths.tolist() == [3, 5] and lengths.tolist() == [1, 2]
    assert classes[0].tolist() == [CHARSET.index("5"), BLANK]


def test_masked_padding_does_not_change_logits() -> None:
    torch.manual_seed(0)
    recognizer = RecognitionNetwork(len(CHARSET) + 1).eval()
    crops = torch.rand(2, 3, CROP_HEIGHT, 64) * 255
    mask = torch.arange(64 // STEP_WIDTH) < torch.tensor([[12], [16]])
    with torch.inference_mode():
        logits = recognizer(crops, mask)
        torch.testing.assert_close(logits[:1, :12], recognizer(crops[:1, :, :, : 12 * STEP_WIDTH]))
        torch.testing.assert_close(logits[1:], recognizer(crops[1:]))
        assert not torch.allclose(logits[:1, :12], recognizer(crops)[:1, :12], atol=1e-4)
