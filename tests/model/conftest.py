"""What tests of the model share: the shipped schema, a small network with random weights, a photo and its text."""

import numpy as np
import pytest
import torch

from resformer.model.inference.checkpoint import build_network
from resformer.model.inference.inputs import Preprocessor
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.parts import Parts
from resformer.model.networks.presets import PRESETS
from resformer.model.networks.resformer import Resformer
from resformer.model.ocr.page import Page
from resformer.model.ocr.text_line import TextLine
from resformer.model.predictor import Predictor
from resformer.model.quantities.label_priors import LabelPriors
from resformer.model.schema.schema import Schema

SCHEMA = Schema.load()
TOKENIZER = Tokenizer(SCHEMA)
PREPROCESSOR = Preprocessor(SCHEMA, TOKENIZER, LabelPriors.count([]))
NANO = PRESETS["nano"]
PHOTO = np.random.default_rng(0).integers(0, 255, (120, 90, 3), dtype=np.uint8)


def text_line(text: str, x: float, y: float) -> TextLine:
    """A line of 100 by 20 pixels."""
    return TextLine(((x, y), (x + 100, y), (x + 100, y + 20), (x, y + 20)), text, 0.9)


PAGE = Page(
    [text_line("Net Wt 500 g (17.6 oz)", 10, 10), text_line("Max load 20 kg", 10, 60), text_line("Shampoo", 30, 200)],
    300,
    400,
)


@pytest.fixture(scope="session")
def shipped() -> Predictor:
    """The shipped weights, with the reader `ppocr`."""
    return Predictor.load(reader="ppocr", threads=1)


@pytest.fixture(scope="session")
def nano() -> Parts:
    """A small network with random weights, without text detector and recognizer."""
    torch.manual_seed(0)
    return build_network(NANO, TOKENIZER, ["resformer"]).eval()


@pytest.fixture(scope="session")
def network(nano: Parts) -> Resformer:
    """The Resformer of `nano`."""
    assert nano.resformer is not None
    torch.nn.init.normal_(nano.resformer.assume_present)  # zero before training
    return nano.resformer
