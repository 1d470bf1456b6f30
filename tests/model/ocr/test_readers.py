"""Readers by name."""

from pathlib import Path

import numpy as np
import pytest

from resformer.model.errors import BadRequest
from resformer.model.inference.checkpoint import build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.resformer import OPTIONAL_PARTS
from resformer.model.ocr.readers import READERS, NullReader, make_reader
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import Schema

TOKENIZER = Tokenizer(Schema.load())
NETWORK = build_network(preset("nano"), TOKENIZER, OPTIONAL_PARTS).eval()
WITHOUT_OCR = build_network(preset("nano"), TOKENIZER).eval()


def test_the_builtin_reader_of_weights_without_ocr_reads_nothing() -> None:
    assert make_reader("builtin", WITHOUT_OCR, "cpu", 1).read(np.zeros((40, 60, 3), np.uint8)) == []


def test_unknown_reader_lists_the_known() -> None:
    assert READERS == ("ppocr", "crops", "builtin")
    with pytest.raises(BadRequest, match="'tesseract'; known are ppocr, crops, builtin"):
        make_reader("tesseract", NETWORK, "cpu", 1)


def test_crops_needs_a_detector_and_a_recognizer(tmp_path: Path) -> None:
    for parts in (OPTIONAL_PARTS, ("text_detector",), ("text_recognizer",), ()):
        path = tmp_path / f"{len(parts)}.safetensors"
        network = build_network(preset("nano"), TOKENIZER, parts)
        save_checkpoint(path, network, TOKENIZER, temperature=1.0)
        loaded = load_checkpoint(path, TOKENIZER).network
        assert (loaded.text_detector is not None) == ("text_detector" in parts)
        assert (loaded.text_recognizer is not None) == ("text_recognizer" in parts)
        predictor = Predictor.load(path, reader="none")
        assert predictor.reader == "builtin"
        assert predictor.readers == (READERS if parts == OPTIONAL_PARTS else ("ppocr", "builtin"))
        assert isinstance(predictor.reader_for(), NullReader) == (parts != OPTIONAL_PARTS)
        if parts != OPTIONAL_PARTS:
            hint = "known are ppocr, builtin; `crops` needs weights with a text detector and a text recognizer"
            with pytest.raises(BadRequest, match=hint):
                predictor.reader_for("crops")
