"""Readers by name."""

import numpy as np
import pytest

from resformer.model.errors import BadRequest
from resformer.model.inference.checkpoint import build_network
from resformer.model.networks.parts import Parts
from resformer.model.ocr.readers import READERS, NullReader, make_reader, readers_for
from tests.model.conftest import NANO, TOKENIZER

OCR = ("text_detector", "text_recognizer")


def network_of(*parts: str) -> Parts:
    return build_network(NANO, TOKENIZER, parts).eval()


def test_the_builtin_reader_of_weights_without_ocr_reads_nothing() -> None:
    assert make_reader("builtin", network_of(), "cpu", 1).read(np.zeros((40, 60, 3), np.uint8)) == []


def test_unknown_reader_lists_the_known() -> None:
    assert READERS == ("ppocr", "crops", "builtin")
    with pytest.raises(BadRequest, match="'tesseract'; known are ppocr, crops, builtin"):
        make_reader("tesseract", network_of(*OCR), "cpu", 1)


def test_crops_and_builtin_take_detector_and_recognizer() -> None:
    network = network_of(*OCR)
    assert readers_for(network) == READERS
    for name in ("crops", "builtin"):
        assert not isinstance(make_reader(name, network, "cpu", 1), NullReader)


@pytest.mark.parametrize("parts", [(), OCR[:1], OCR[1:]])
def test_crops_needs_a_detector_and_a_recognizer(parts: tuple[str, ...]) -> None:
    network = network_of(*parts)
    assert readers_for(network) == ("ppocr", "builtin")
    assert isinstance(make_reader("builtin", network, "cpu", 1), NullReader)
    hint = "known are ppocr, builtin; `crops` needs weights with a text detector and a text recognizer"
    with pytest.raises(BadRequest, match=hint):
        make_reader("crops", network, "cpu", 1)
